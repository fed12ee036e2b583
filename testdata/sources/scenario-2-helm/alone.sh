# environments: dev next prod
helm template platform charts/platform --namespace platform --include-crds --values values/$env.yaml
for file in $(find envs/$env -name '*.yaml' | sort); do echo ---; cat $file; done
