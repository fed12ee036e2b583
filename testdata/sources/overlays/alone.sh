# environments: dev prod
kustomize build overlays/$env
