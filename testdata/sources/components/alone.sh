# environments: dev prod
kustomize build deploy/$env
