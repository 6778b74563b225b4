#!/usr/bin/env bash
# The starter plan's work done with the tools alone, as fast as a careful person would script it: the
# peer of the rehearsal's benchmark. Starts everything in DIR and takes it away again; the time until
# every Application is Synced and Healthy counts, so that the end is quick (kill, no clean shutdown).
#
# usage: by_hand.sh TOOLS REPOSITORY DIR    REPOSITORY: made by `blackstart init`
set -euo pipefail
tools=$1 repository=$2 dir=$3
mkdir -p "$dir"/{tls,ssh,plugin,log}
export PATH=$tools:$PATH KWOK_WORKDIR=$dir/kwok KUBECONFIG=$dir/kubeconfig HOME=$dir
chart=$repository/infrastructure/argocd
started=()
finish() {
  for pid in "${started[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  pkill -9 -f "$dir/kwok" || true
}
trap finish EXIT

kwokctl create cluster --name by-hand --runtime binary --etcd-binary "$tools/etcd" \
  --kube-apiserver-binary "$tools/kube-apiserver" --kube-controller-manager-binary "$tools/kube-controller-manager" \
  --kube-scheduler-binary "$tools/kube-scheduler" --kwok-controller-binary "$tools/kwok" \
  --kubeconfig "$KUBECONFIG" --wait 60s >"$dir/log/kwokctl" 2>&1
kwokctl --name by-hand scale node --replicas 2 >>"$dir/log/kwokctl" 2>&1
kubectl apply --server-side -f "$chart/chart/crds" >"$dir/log/crds"
helm upgrade --install argocd "$chart/chart" -n argocd --create-namespace -f "$chart/values.yaml" --skip-crds \
  --wait --timeout 120s >"$dir/log/helm"

for name in repo-server server application-controller applicationset-controller; do ln -sf "$tools/argocd" "$dir/argocd-$name"; done
export ARGOCD_FAKE_IN_CLUSTER=true ARGOCD_GPG_ENABLED=false ARGOCD_TLS_DATA_PATH=$dir/tls ARGOCD_SSH_DATA_PATH=$dir/ssh \
  ARGOCD_PLUGINCONFIGFILEPATH=$dir/plugin ARGOCD_PLUGINSOCKFILEPATH=$dir/plugin ARGOCD_RECONCILIATION_TIMEOUT=10s
up() { "${@:2}" >"$dir/log/$1" 2>&1 & started+=($!); }
redis=(--redis 127.0.0.1:27410) repo=(--repo-server 127.0.0.1:27411 --repo-server-plaintext)
cluster=(--kubeconfig "$KUBECONFIG" -n argocd)
kubectl apply --server-side --force-conflicts -f "$repository/bootstrap/base/project.yaml" >"$dir/log/project"
up redis redis-server --port 27410 --bind 127.0.0.1 --save ""
up repo "$dir/argocd-repo-server" "${redis[@]}" --port 27411 --metrics-port 27412 --address 127.0.0.1 \
  --metrics-address 127.0.0.1 --disable-tls --loglevel warn
up server "$dir/argocd-server" "${cluster[@]}" "${redis[@]}" "${repo[@]}" --insecure --port 27417 --metrics-port 27418 \
  --address 127.0.0.1 --loglevel warn
up controller "$dir/argocd-application-controller" "${cluster[@]}" "${redis[@]}" "${repo[@]}" --metrics-port 27413 --loglevel warn
kubectl apply --server-side -f "$repository/bootstrap/vendored/root.yaml" >"$dir/log/root"
until kubectl -n argocd get applications --no-headers 2>/dev/null |
  awk '{ if ($2 == "Synced" && $3 == "Healthy") done++ } END { exit done != 4 }'; do sleep 0.2; done
