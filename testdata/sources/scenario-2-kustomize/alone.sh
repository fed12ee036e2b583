# environments: dev next prod
kustomize build overlays/$env
