// argocd.repository: where Argo CD reads from, and with which credentials; before the root needs
// them.
#include <boost/json/object.hpp>

#include "orchestrator/base/text.h"
#include "stages/kube/objects.h"
#include "stages/secret_value.h"

namespace blackstart::stages {
namespace {

using plan::OptionType;

/// One field of Argo CD's repository Secret and the options that may give it.
struct Credential {
  const char* field;
  const char* value;      // option with the value itself; "" = none, here and below
  const char* from_env;   // option naming an environment variable
  const char* from_file;  // option naming a file
};

constexpr Credential kCredentials[] = {
    {"username", "username", "usernameFromEnv", ""},
    {"password", "password", "passwordFromEnv", "passwordFromFile"},
    {"sshPrivateKey", "", "", "sshPrivateKeyFile"},
    {"githubAppID", "githubAppID", "", ""},
    {"githubAppInstallationID", "githubAppInstallationID", "", ""},
    {"githubAppPrivateKey", "", "", "githubAppPrivateKeyFile"},
};

/// Neither a value nor why there is none: it is not given.
SecretValue read_credential(engine::Context& context, const plan::Value& options,
                            const Credential& credential) {
  SecretValue secret;
  if (const plan::Value* text = options.given(credential.value)) secret.value = text->as_text();
  if (const plan::Value* name = options.given(credential.from_env))
    secret = read_variable(context, *name);
  if (const plan::Value* file = options.given(credential.from_file)) {
    secret = read_secret_file(context, *file);
    // A line break at the end is the editor's; only in a key is it part of the format.
    bool is_key = std::string_view(credential.field).find("Key") != std::string_view::npos;
    if (secret.value && !is_key) secret.value = std::string(trim(*secret.value));
  }
  if (secret.value && credential.field != std::string_view("username"))
    context.redact(*secret.value);
  return secret;
}

class RepositoryStage final : public ObjectsStage {
 protected:
  Task<Wanted> load(engine::Context& context) override {
    std::string name = context.text("name");
    boost::json::object data;
    std::optional<Error> missing;
    auto put = [&data](const char* key, const std::string& value) {
      data[key] = base64_encode(value);
    };
    put("name", name);
    put("url", context.text("url"));
    put("type", context.text("type") == "git" ? "git" : "helm");
    if (context.text("type") == "oci") put("enableOCI", "true");
    if (context.has("project")) put("project", context.text("project"));
    if (context.has("credentials")) {
      for (const Credential& credential : kCredentials) {
        SecretValue secret = read_credential(context, context.option("credentials"), credential);
        if (secret.value) put(credential.field, *secret.value);
        if (secret.missing && !missing) missing = std::move(secret.missing);
      }
    }
    Wanted wanted;
    wanted.default_namespace = context.text("namespace");
    wanted.what = "repository " + name;
    wanted.missing = std::move(missing);
    wanted.objects.push_back(
        {boost::json::object{{"apiVersion", "v1"},
                             {"kind", "Secret"},
                             {"metadata",
                              {{"name", name},
                               {"namespace", wanted.default_namespace},
                               {"labels", {{"argocd.argoproj.io/secret-type", "repository"}}}}},
                             {"type", "Opaque"},
                             {"data", std::move(data)}},
         context.stage().place});
    co_return wanted;
  }
};

std::vector<plan::OptionSpec> credential_fields() {
  return {
      {.name = "username", .summary = "user name"},
      {.name = "usernameFromEnv", .summary = "environment variable with the user name"},
      {.name = "password",
       .summary = "password or token, from a sensitive variable",
       .secret = true},
      {.name = "passwordFromEnv", .summary = "environment variable with the password or token"},
      {.name = "passwordFromFile",
       .type = OptionType::kPath,
       .summary = "file with the password or token",
       .may_be_missing = true},
      {.name = "sshPrivateKeyFile",
       .type = OptionType::kPath,
       .summary = "file with the SSH private key",
       .may_be_missing = true},
      {.name = "githubAppID", .summary = "ID of a GitHub App"},
      {.name = "githubAppInstallationID", .summary = "ID of its installation"},
      {.name = "githubAppPrivateKeyFile",
       .type = OptionType::kPath,
       .summary = "file with its private key",
       .may_be_missing = true},
  };
}

}  // namespace

extern const engine::StageType kArgocdRepository;
const engine::StageType kArgocdRepository{
    .schema =
        {
            .name = "argocd.repository",
            .summary = "A Git, Helm or OCI repository that Argo CD reads, with its credentials.",
            .options =
                {
                    {.name = "name",
                     .required = true,
                     .summary = "name of the Secret and of the repository"},
                    {.name = "url", .required = true, .summary = "URL as Applications write it"},
                    {.name = "type",
                     .type = OptionType::kEnum,
                     .default_value = "git",
                     .summary = "kind of repository",
                     .choices = {"git", "helm", "oci"}},
                    {.name = "project", .summary = "limits its use to one AppProject"},
                    {.name = "namespace",
                     .default_value = "argocd",
                     .summary = "where Argo CD runs"},
                    {.name = "credentials",
                     .type = OptionType::kMap,
                     .summary = "how to log in; values are never shown",
                     .fields = credential_fields()},
                },
            .in_cluster = true,
        },
    .work = engine::Work::kApi,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<RepositoryStage>(); },
};

}  // namespace blackstart::stages
