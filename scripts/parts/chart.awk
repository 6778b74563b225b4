# Argo CD's install.yaml, split into a Helm chart: OUT/crds/*.yaml as they are, OUT/templates/*.yaml one object a file.
# Usage: awk -v out=OUT -f chart.awk install.yaml   (OUT/crds and OUT/templates exist)
#
# The names of the values are those of the official chart:
#   configs.cm, configs.params, configs.rbac   maps, laid over the data of argocd-cm, argocd-cmd-params-cm, argocd-rbac-cm
#   server.replicas, repoServer.replicas, applicationSet.replicas
# and cluster role bindings follow the namespace of the release. All else is as upstream.

BEGIN {
  config["argocd-cm"] = "cm"
  config["argocd-cmd-params-cm"] = "params"
  config["argocd-rbac-cm"] = "rbac"
  scaled["argocd-server"] = "server"
  scaled["argocd-repo-server"] = "repoServer"
  scaled["argocd-applicationset-controller"] = "applicationSet"
}

/^---/ { finish(); next }
/^#/ { next }
/^kind: / { kind = $2 }
/^[a-zA-Z]/ { section = $1 }
section == "metadata:" && /^  name: / { name = $2 }
{ line[++lines] = $0; belongs[lines] = section }
END { finish() }

function finish() {
  if (lines == 0) return
  if (kind == "CustomResourceDefinition") write_crd()
  else write_template()
  lines = 0; kind = name = section = ""
}

function write_crd(   file, i) {
  file = out "/crds/" name ".yaml"
  for (i = 1; i <= lines; i++) print line[i] > file
  close(file)
}

function write_template(   file, merged, i) {
  file = out "/templates/" tolower(kind) "-" name ".yaml"
  merged = kind == "ConfigMap" && name in config
  for (i = 1; i <= lines; i++) {
    if (merged && belongs[i] == "data:") continue # written below
    print templated(line[i]) > file
    if (kind == "Deployment" && line[i] == "spec:" && name in scaled) write_replicas(file, scaled[name])
  }
  if (merged) write_data(file, config[name])
  close(file)
}

# Upstream's braces are text, not ours to render.
function templated(text) {
  gsub(/\{\{/, "{{ \"{{\" }}", text)
  if (kind == "ClusterRoleBinding" && text == "  namespace: argocd") text = "  namespace: {{ .Release.Namespace }}"
  return text
}

function write_replicas(file, value) {
  print "{{- if hasKey (.Values." value " | default dict) \"replicas\" }}" > file
  print "  replicas: {{ .Values." value ".replicas }}" > file
  print "{{- end }}" > file
}

function write_data(file, value,   i) {
  print "{{- define \"argo-cd.configs." value "\" }}" > file
  for (i = 1; i <= lines; i++)
    if (belongs[i] == "data:" && line[i] != "data:") print templated(line[i]) > file
  print "{{ end }}" > file # keeps the last line break
  print "{{- $data := include \"argo-cd.configs." value "\" . | fromYaml }}" > file
  print "{{- range $key, $value := (.Values.configs)." value " }}" > file
  print "{{- $_ := set $data $key (toString $value) }}" > file
  print "{{- end }}" > file
  print "{{- with $data }}" > file
  print "data: {{- toYaml . | nindent 2 }}" > file
  print "{{- end }}" > file
}
