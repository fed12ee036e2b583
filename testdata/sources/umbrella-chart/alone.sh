# environments: dev prod
helm template shop . --namespace shop --include-crds --values settings/common.yaml --values settings/$env.yaml --set queue.workers=2
