variable "name" {
  description = "Start of every name; the module appends a role such as \"-results\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,48}$", var.name))
    error_message = "name must be 2 to 49 lower-case letters, digits and hyphens and start with a letter: choose a shorter prefix or another workspace name."
  }
}

variable "sources" {
  description = <<-EOT
    The sources of events, by name. Each result carries the name of its source. Fields by `type`:

    - s3: `bucket` (name), and `filters`, each a `prefix` and `suffix` of the keys. Without filters, all objects count.
      The module owns the bucket's notification. If `notification` is false, your own must invoke the listener.
    - sqs: `queue_arn`. The listener removes the messages, so give it its own queue.
    - sns: `topic_arn`, and `filter_policy` (JSON) on the message attributes.
    - eventbridge: `bus` (name) and `pattern` (JSON).
    - dynamodb: `stream_arn` of the table's stream.
    - kinesis: `stream_arn`.

    Fields of several types:

    - `mapping`: the module owns the event source mapping of sqs, dynamodb and kinesis. If it is false, your own must
      invoke the listener.
    - `partial_batch_responses`: true only if your own mapping asks for `ReportBatchItemFailures`.
    - `kms_key_arn`: the customer-managed key that encrypts the source, if there is one.
    - `correlation.from`: where the correlation id is. "key" is the key of an S3 object (also in a notification within a
      message), the partition key of Kinesis, or the key attribute of DynamoDB. "attribute" is a message attribute of
      SQS and SNS. "body" is the JSON body.
    - `correlation.at`: for "key" a pattern, as in "out/*.json", or the name of DynamoDB's attribute if there are two;
      for "attribute" its name; for "body" a JMESPath expression.
    - `unwrap`: if it is false, a body stays as it is. Otherwise the listener takes the usual wrappings off.
    - `decode`: wrappings that are taken off first, whatever they hold: "base64", "gzip".

    Without `correlation`, the id is the key for s3 and dynamodb. For sqs and sns it is the attribute `correlation_id`,
    a key, or the field `correlation_id`. For eventbridge it is that field of the detail, or a key. For kinesis it is
    the key, or that field.
  EOT
  type = map(object({
    type          = string
    bucket        = optional(string)
    filters       = optional(list(object({ prefix = optional(string), suffix = optional(string) })), [{}])
    notification  = optional(bool, true)
    queue_arn     = optional(string)
    topic_arn     = optional(string)
    filter_policy = optional(string)
    bus           = optional(string, "default")
    pattern       = optional(string)
    stream_arn    = optional(string)
    mapping       = optional(bool, true)
    kms_key_arn   = optional(string)
    correlation   = optional(object({ from = string, at = optional(string) }))
    unwrap        = optional(bool, true)
    decode        = optional(list(string), [])

    partial_batch_responses = optional(bool, false)
  }))
  nullable = false

  validation {
    condition     = length(var.sources) > 0
    error_message = "sources is empty: name at least one source of events."
  }

  validation {
    condition     = alltrue([for name, _ in var.sources : can(regex("^[A-Za-z0-9_-]{1,40}$", name))])
    error_message = "The name of a source must be 1 to 40 letters, digits, hyphens or underscores: rename it."
  }

  validation {
    condition = alltrue([
      for _, source in var.sources :
      contains(["s3", "sqs", "sns", "eventbridge", "dynamodb", "kinesis"], source.type)
    ])
    error_message = "The type of a source must be \"s3\", \"sqs\", \"sns\", \"eventbridge\", \"dynamodb\" or \"kinesis\"."
  }

  # `contains` and not `alltrue`, here and below: `alltrue` is unknown until apply if one of its values is.
  validation {
    condition     = !contains([for _, source in var.sources : source.type != "s3" || source.bucket != null], false)
    error_message = "A source of type \"s3\" needs `bucket`, the bucket's name."
  }

  validation {
    condition     = alltrue([for _, source in var.sources : length(source.filters) > 0])
    error_message = "`filters` of a source is an empty list: leave it out to receive every object."
  }

  validation {
    condition = !contains([
      for _, source in var.sources :
      source.type != "sqs" || startswith(coalesce(source.queue_arn, "-"), "arn:")
    ], false)
    error_message = "A source of type \"sqs\" needs `queue_arn`, the queue's ARN (not its URL)."
  }

  validation {
    condition = !contains([
      for _, source in var.sources :
      source.type != "sns" || startswith(coalesce(source.topic_arn, "-"), "arn:")
    ], false)
    error_message = "A source of type \"sns\" needs `topic_arn`, the topic's ARN."
  }

  validation {
    condition     = alltrue([for _, source in var.sources : source.type != "eventbridge" || can(keys(jsondecode(source.pattern)))])
    error_message = "A source of type \"eventbridge\" needs `pattern`, an event pattern as JSON: write it with jsonencode({...})."
  }

  validation {
    condition = !contains([
      for _, source in var.sources :
      !contains(["dynamodb", "kinesis"], source.type) || startswith(coalesce(source.stream_arn, "-"), "arn:")
    ], false)
    error_message = "A source of type \"dynamodb\" or \"kinesis\" needs `stream_arn`, an ARN (of a table: its stream_arn, which is empty unless the table has stream_enabled = true)."
  }

  validation {
    condition     = alltrue([for _, source in var.sources : source.mapping || contains(["sqs", "dynamodb", "kinesis"], source.type)])
    error_message = "`mapping = false` is for a source of type \"sqs\", \"dynamodb\" or \"kinesis\": the others push, without an event source mapping."
  }

  validation {
    condition     = alltrue([for _, source in var.sources : !(source.partial_batch_responses && source.mapping)])
    error_message = "`partial_batch_responses` needs `mapping = false` and an aws_lambda_event_source_mapping of yours with function_response_types = [\"ReportBatchItemFailures\"]: the module's own mapping doesn't ask for them, so Lambda would treat the listener's response as success."
  }

  validation {
    condition = alltrue([
      for _, source in var.sources :
      contains(["key", "attribute", "body"], try(source.correlation.from, "key"))
    ])
    error_message = "`correlation.from` of a source must be \"key\", \"attribute\" or \"body\"."
  }

  validation {
    condition = alltrue([
      for _, source in var.sources :
      try(source.correlation.from, "key") == "key" || try(source.correlation.at != null, false)
    ])
    error_message = "`correlation.from` \"attribute\" or \"body\" needs `correlation.at`: the attribute's name, or a JMESPath expression such as \"order.id\"."
  }

  validation {
    condition = alltrue([
      for _, source in var.sources :
      source.type == "dynamodb" || try(source.correlation.from, "") != "key" || try(length(split("*", source.correlation.at)), 2) == 2
    ])
    error_message = "`correlation.at` of a source with `from` \"key\" (other than \"dynamodb\") is a pattern of its keys, with one asterisk in place of the id: write \"out/*.json\", or leave it out."
  }

  validation {
    condition = alltrue([
      for _, source in var.sources : source.correlation == null ? true : contains(lookup({
        s3          = ["key", "body"]
        sqs         = ["attribute", "body", "key"]
        sns         = ["attribute", "body", "key"]
        eventbridge = ["body", "key"]
        dynamodb    = ["key", "body"]
        kinesis     = ["key", "body"]
      }, source.type, [source.correlation.from]), source.correlation.from) || !contains(["key", "attribute", "body"], source.correlation.from)
    ])
    error_message = "`correlation.from` doesn't fit a source's type: s3, dynamodb, kinesis and eventbridge have \"key\" and \"body\", only sqs and sns \"attribute\" too."
  }

  validation {
    condition = alltrue([
      for _, source in var.sources : length(setsubtract(source.decode, ["base64", "gzip"])) == 0 && (source.unwrap || length(source.decode) == 0)
    ])
    error_message = "`decode` of a source must list \"base64\" or \"gzip\", and needs `unwrap = true`."
  }
}

variable "read_buckets" {
  description = <<-EOT
    Names of the buckets whose objects the listener may read because messages name them: S3 notifications in a queue,
    a topic or on a bus, and messages that AWS's extended clients have moved to S3. (The bucket of a source of type
    "s3" need not be named.)
  EOT
  type        = list(string)
  default     = []
  nullable    = false
}

variable "read_kms_key_arns" {
  description = "ARNs of the customer-managed keys that encrypt `read_buckets`."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "components" {
  description = <<-EOT
    Components that are listed by hand, in the order in which an event passes them. The harness finds all others
    in Terraform's state; what is listed wins. Fields by `type`:

    - s3: `bucket`
    - sqs: `queue_url`, and `failure_queue_url`
    - sns: `topic_arn`
    - eventbridge: `bus`
    - lambda: `function`, and `log_group` and `failure_queue_url`
    - dynamodb: `table`
    - kinesis: `stream`
    - http: `url` of an API's stage or of a function, and `log_group` of its access log
    - stepfunctions: `state_machine_arn`, and `log_group`
    - pipe: `pipe`, the name of an EventBridge pipe
    - other: `resource`, an ARN or a Terraform address. Explanations list it and look no further.
  EOT
  type = list(object({
    name              = string
    type              = string
    bucket            = optional(string)
    queue_url         = optional(string)
    topic_arn         = optional(string)
    bus               = optional(string)
    function          = optional(string)
    log_group         = optional(string)
    failure_queue_url = optional(string)
    table             = optional(string)
    stream            = optional(string)
    url               = optional(string)
    state_machine_arn = optional(string)
    pipe              = optional(string)
    resource          = optional(string)
  }))
  default  = []
  nullable = false

  validation {
    condition = alltrue([
      for component in var.components :
      contains([
        "s3", "sqs", "sns", "eventbridge", "lambda", "dynamodb", "kinesis", "http", "stepfunctions", "pipe", "other",
      ], component.type)
    ])
    error_message = "The type of a component must be \"s3\", \"sqs\", \"sns\", \"eventbridge\", \"lambda\", \"dynamodb\", \"kinesis\", \"http\", \"stepfunctions\", \"pipe\" or \"other\"."
  }

  validation {
    condition     = length(distinct(var.components[*].name)) == length(var.components)
    error_message = "Two components have the same name: tests address a component by its name, so give each component its own."
  }

  validation {
    condition     = !contains([for component in var.components : component.type != "s3" || component.bucket != null], false)
    error_message = "A component of type \"s3\" lacks `bucket`: set it (Terraform ignores unknown fields, so look for a misspelt one)."
  }

  validation {
    condition     = !contains([for component in var.components : component.type != "sqs" || component.queue_url != null], false)
    error_message = "A component of type \"sqs\" lacks `queue_url`: set it (Terraform ignores unknown fields, so look for a misspelt one)."
  }

  validation {
    condition     = !contains([for component in var.components : component.type != "sns" || component.topic_arn != null], false)
    error_message = "A component of type \"sns\" lacks `topic_arn`: set it (Terraform ignores unknown fields, so look for a misspelt one)."
  }

  validation {
    condition     = !contains([for component in var.components : component.type != "eventbridge" || component.bus != null], false)
    error_message = "A component of type \"eventbridge\" lacks `bus`: set it (Terraform ignores unknown fields, so look for a misspelt one)."
  }

  validation {
    condition     = !contains([for component in var.components : component.type != "lambda" || component.function != null], false)
    error_message = "A component of type \"lambda\" lacks `function`: set it (Terraform ignores unknown fields, so look for a misspelt one)."
  }

  validation {
    condition     = !contains([for component in var.components : component.type != "dynamodb" || component.table != null], false)
    error_message = "A component of type \"dynamodb\" lacks `table`: set it (Terraform ignores unknown fields, so look for a misspelt one)."
  }

  validation {
    condition     = !contains([for component in var.components : component.type != "kinesis" || component.stream != null], false)
    error_message = "A component of type \"kinesis\" lacks `stream`: set it (Terraform ignores unknown fields, so look for a misspelt one)."
  }

  validation {
    condition     = !contains([for component in var.components : component.type != "http" || component.url != null], false)
    error_message = "A component of type \"http\" lacks `url`: set it (Terraform ignores unknown fields, so look for a misspelt one)."
  }

  validation {
    condition     = !contains([for component in var.components : component.type != "stepfunctions" || component.state_machine_arn != null], false)
    error_message = "A component of type \"stepfunctions\" lacks `state_machine_arn`: set it (Terraform ignores unknown fields, so look for a misspelt one)."
  }

  validation {
    condition     = !contains([for component in var.components : component.type != "pipe" || component.pipe != null], false)
    error_message = "A component of type \"pipe\" lacks `pipe`: set it (Terraform ignores unknown fields, so look for a misspelt one)."
  }

  validation {
    condition     = !contains([for component in var.components : component.type != "other" || component.resource != null], false)
    error_message = "A component of type \"other\" lacks `resource`: set it (Terraform ignores unknown fields, so look for a misspelt one)."
  }
}

variable "ephemeral" {
  description = "Whether the deployment is short-lived: destroy then deletes the objects in the overflow bucket."
  type        = bool
  default     = true
  nullable    = false
}

variable "runtime" {
  description = "Lambda runtime of the listener, a Python runtime."
  type        = string
  default     = "python3.13"
  nullable    = false
}

variable "permissions_boundary" {
  description = "ARN of the IAM policy that is the permissions boundary of the listener's role; null: no boundary."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null ? true : can(regex("^arn:[a-z-]+:iam::[0-9a-z]+:policy/[A-Za-z0-9+=,.@_/-]+$", var.permissions_boundary))
    error_message = "permissions_boundary must be the ARN of an IAM policy such as \"arn:aws:iam::111122223333:policy/shout-boundary\", or null."
  }
}

variable "log_retention_days" {
  description = "Days that CloudWatch Logs keeps the listener's logs."
  type        = number
  default     = 7
  nullable    = false
}

variable "result_ttl_hours" {
  description = "Hours after which DynamoDB deletes a result."
  type        = number
  default     = 24
  nullable    = false

  validation {
    condition     = var.result_ttl_hours >= 1 && floor(var.result_ttl_hours) == var.result_ttl_hours
    error_message = "result_ttl_hours must be a whole number from 1: a result must outlive the test that waits for it."
  }
}

variable "result_shards" {
  description = <<-EOT
    How many partition keys the results of one test session are spread over. DynamoDB writes about 300 results a
    second under one key. Each look of a test costs one Query for each shard.
  EOT
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.result_shards >= 1 && var.result_shards <= 100 && floor(var.result_shards) == var.result_shards
    error_message = "result_shards must be a whole number from 1 to 100: one shard is enough for about 300 results a second."
  }
}

variable "inline_limit_bytes" {
  description = "Size in bytes up to which a body is kept in the results table; larger ones go to the overflow bucket."
  type        = number
  default     = 262144
  nullable    = false

  validation {
    condition     = var.inline_limit_bytes >= 0 && var.inline_limit_bytes <= 358400
    error_message = "inline_limit_bytes must be from 0 to 358400: a DynamoDB item may not exceed 400 KB, and its other attributes need space."
  }
}
