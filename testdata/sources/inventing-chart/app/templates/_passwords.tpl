{{/* Takes a value if there is one, else what the cluster has, else a new one. */}}
{{- define "ledger.password" -}}
{{- $existing := (lookup "v1" "Secret" .context.Release.Namespace .secret) | default dict -}}
{{- $data := get $existing "data" | default dict -}}
{{- if .given -}}
{{- .given | b64enc -}}
{{- else if hasKey $data .key -}}
{{- get $data .key -}}
{{- else -}}
{{- randAlphaNum (int .length) | b64enc -}}
{{- end -}}
{{- end -}}
