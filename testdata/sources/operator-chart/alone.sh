# environments: dev prod
helm template mailer . --namespace shop --include-crds --kube-version 1.31 --api-versions monitoring.coreos.com/v1 --values envs/$env/values.yaml
