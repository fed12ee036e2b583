# environments: dev prod
helm template "$app" . --namespace shop --include-crds --values values-$env.yaml
