{{- define "x.fullname" -}}{{ .Release.Name }}{{- end }}
