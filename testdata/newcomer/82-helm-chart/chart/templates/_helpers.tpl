{{- define "shop.fullname" -}}
shop
{{- end }}
