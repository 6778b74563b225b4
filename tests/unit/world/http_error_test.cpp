// Curl's words for what went wrong with TLS, as OpenSSL gives them, and what we make of them.
#include "orchestrator/world/http_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace blackstart::real {
namespace {

using testing::HasSubstr;

Error tls_error(const std::string& reason, CURLcode code = CURLE_SSL_CONNECT_ERROR) {
  return to_error("GET https://api/", {.code = code, .reason = reason});
}

TEST(TlsError, AnAlertAboutAnExpiredCertificateIsAboutOurs) {
  for (const CURLcode code : {CURLE_SSL_CONNECT_ERROR, CURLE_RECV_ERROR, CURLE_SEND_ERROR}) {
    const Error error = tls_error(
        "OpenSSL SSL_read: OpenSSL/3.0.15: error:0A000415:SSL routines::sslv3 alert certificate "
        "expired, errno 0",
        code);
    EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication);
    EXPECT_THAT(error.summary(), HasSubstr("the client certificate has expired"));
  }
}

TEST(TlsError, AnAlertOfAServerThatIsNotReadyPasses) {
  const std::string reason =
      "OpenSSL/3.0.15: error:0A000438:SSL routines::tlsv1 alert internal error";
  EXPECT_EQ(tls_error(reason).error_class(), ErrorClass::kTransient);
  EXPECT_EQ(tls_error(reason, CURLE_RECV_ERROR).error_class(), ErrorClass::kTransient);
}

TEST(TlsError, OtherAlertsAreRefusals) {
  for (const char* alert : {"tlsv13 alert certificate required", "tlsv1 alert unknown ca",
                            "sslv3 alert bad certificate", "sslv3 alert handshake failure"}) {
    const Error error = tls_error(std::string("error:0A00045C:SSL routines::") + alert);
    EXPECT_EQ(error.error_class(), ErrorClass::kAuthentication) << alert;
    EXPECT_THAT(error.summary(), HasSubstr("refused the TLS handshake")) << alert;
  }
}

TEST(TlsError, OfTheServersOwnCertificateIsNoAlert) {
  EXPECT_THAT(tls_error("SSL certificate problem: certificate has expired").summary(),
              HasSubstr("the server's certificate has expired"));
  EXPECT_THAT(tls_error("SSL: no alternative certificate subject name matches target host name "
                        "'alert.example.com'")
                  .summary(),
              HasSubstr("for another name"));
}

}  // namespace
}  // namespace blackstart::real
