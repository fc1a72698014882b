locals {
  stream_arns = [for _, source in var.sources : source.stream_arn if source.type == "dynamodb"]
  kms_keys    = distinct(concat([for _, source in var.sources : source.kms_key_arn if source.kms_key_arn != null], var.read_kms_key_arns))
  buckets     = concat([for _, source in var.sources : source.bucket if source.type == "s3"], var.read_buckets)

  # The permissions to read each type of source. The listener's role gets a statement for each type in use.
  # SNS and EventBridge push their events, so they need none.
  reading = {
    s3_objects = {
      actions   = ["s3:GetObject", "s3:GetObjectVersion"]
      resources = [for bucket in local.buckets : "arn:${data.aws_partition.current.partition}:s3:::${bucket}/*"]
    }
    # Without this permission S3 answers 403 instead of 404 for an object that no longer exists.
    s3_missing_objects = {
      actions   = ["s3:ListBucket"]
      resources = [for bucket in local.buckets : "arn:${data.aws_partition.current.partition}:s3:::${bucket}"]
    }
    sqs = {
      actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      resources = [for _, source in var.sources : source.queue_arn if source.type == "sqs"]
    }
    dynamodb = {
      actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
      resources = local.stream_arns
    }
    # ListStreams accepts only all streams of a table together.
    dynamodb_list = {
      actions   = ["dynamodb:ListStreams"]
      resources = [for arn in local.stream_arns : replace(arn, "//stream/.*$/", "/stream/*")]
    }
    kinesis = {
      actions   = ["kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
      resources = [for _, source in var.sources : source.stream_arn if source.type == "kinesis"]
    }
    kms = {
      actions   = ["kms:Decrypt"]
      resources = local.kms_keys
    }
  }
}

data "aws_partition" "current" {}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "WriteResults"
    actions   = ["dynamodb:PutItem", "dynamodb:UpdateItem"]
    resources = [aws_dynamodb_table.results.arn]
  }

  statement {
    sid       = "WriteOverflow"
    actions   = ["s3:AbortMultipartUpload", "s3:PutObject"]
    resources = ["${module.overflow.arn}/*"]
  }

  dynamic "statement" {
    for_each = { for name, reading in local.reading : name => reading if length(reading.resources) > 0 }

    content {
      sid       = "Read${replace(title(replace(statement.key, "_", " ")), " ", "")}"
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }
}
