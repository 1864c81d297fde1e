{{/* What a schema of single values cannot say. Rendered by the ConfigMap, so that it is always looked at. */}}
{{- define "streamflow.checks" -}}
{{- $v := .Values -}}
{{- if not (or $v.kafka.bootstrapServers (and $v.strimzi.enabled $v.strimzi.cluster)) -}}
{{- fail "Expected kafka.bootstrapServers (HOST:PORT), or strimzi.enabled with strimzi.cluster, found neither: say where Kafka is" -}}
{{- end -}}
{{- if not (or $v.processors.enabled $v.workers.enabled $v.gateway.enabled $v.schedules.enabled) -}}
{{- fail "Expected something to run, found processors, workers, schedules and gateway all disabled" -}}
{{- end -}}
{{- range $part := list "processors" "workers" -}}
{{- $values := index $v $part -}}
{{- if and $values.enabled (not (or $values.apps $v.apps)) -}}
{{- fail (printf "Expected apps, such as [shop.orders:app], found none for %s: name the Apps of your image" $part) -}}
{{- end -}}
{{- end -}}
{{- if and $v.processors.enabled $v.processors.standby (not $v.processors.keda.enabled) (ge (int $v.processors.standby) (int $v.processors.replicaCount)) -}}
{{- fail (printf "Expected more processors than copies that stand by, found processors.replicaCount=%d and processors.standby=%d: each copy of a partition needs a pod of its own" (int $v.processors.replicaCount) (int $v.processors.standby)) -}}
{{- end -}}
{{- if and $v.workers.autoscaling.enabled $v.workers.keda.enabled -}}
{{- fail "Expected workers.autoscaling.enabled or workers.keda.enabled, found both: two scalers of one Deployment undo each other's work" -}}
{{- end -}}
{{- if and (or $v.workers.keda.enabled $v.processors.keda.enabled) (not $v.queues) -}}
{{- fail "Expected queues for keda, whose lag is looked at, found none" -}}
{{- end -}}
{{- if and $v.gateway.enabled (not (or $v.gateway.access $v.gateway.existingSecret $v.gateway.insecure)) -}}
{{- fail "Expected gateway.access or gateway.existingSecret for the login, or gateway.insecure=true, found neither: whoever reached the gateway could do everything" -}}
{{- end -}}
{{- if and $v.gateway.insecure (or $v.gateway.access $v.gateway.existingSecret) -}}
{{- fail "Expected a login (gateway.access, gateway.existingSecret) or gateway.insecure=true, found both: say which of them is meant" -}}
{{- end -}}
{{- if and $v.gateway.ingress.enabled (not $v.gateway.publicUrl) -}}
{{- fail "Expected gateway.publicUrl with gateway.ingress.enabled, found none: the gateway answers only to hosts that it knows" -}}
{{- end -}}
{{- if and $v.kafka.sasl.mechanism (not (or $v.kafka.sasl.existingSecret (and $v.strimzi.enabled $v.strimzi.user.create))) -}}
{{- fail "Expected kafka.sasl.existingSecret with kafka.sasl.mechanism, found none: name the Secret with the password" -}}
{{- end -}}
{{- range $name := list "security.protocol" "sasl.mechanism" "sasl.mechanisms" -}}
{{- if and (hasKey $v.kafka.config $name) (or $v.kafka.sasl.mechanism (and $v.strimzi.enabled $v.strimzi.user.create)) -}}
{{- fail (printf "Expected %s to follow from kafka.tls and kafka.sasl, found it in kafka.config too: remove it there" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
