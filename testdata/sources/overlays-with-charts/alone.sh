# environments: dev prod
kustomize build --enable-helm overlays/$env
