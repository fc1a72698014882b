data "aws_caller_identity" "current" {}

module "source" {
  source = "../private_bucket"

  name_prefix = "${var.name}-source-"
  ephemeral   = var.ephemeral
}

# A second bucket: a function that writes into its own source bucket would invoke itself without end.
module "destination" {
  source = "../private_bucket"

  name_prefix = "${var.name}-destination-"
  ephemeral   = var.ephemeral
}

module "function" {
  source = "../lambda_function"

  name                 = "${var.name}-text-processor"
  description          = "Writes each text of the source bucket in upper case to the destination bucket."
  source_dir           = "${path.module}/../../functions/text_processor"
  runtime              = var.runtime
  permissions_boundary = var.permissions_boundary
  memory_mb            = var.memory_mb
  timeout_seconds      = var.timeout_seconds
  log_retention_days   = var.log_retention_days
  policy               = data.aws_iam_policy_document.this.json

  environment = {
    DESTINATION_BUCKET = module.destination.name
  }
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "ReadSource"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${module.source.arn}/*"]
  }

  # The function reads the existing output to find out whether an event was already processed.
  statement {
    sid       = "ReadAndWriteDestination"
    actions   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
    resources = ["${module.destination.arn}/*"]
  }

  # Without this permission S3 answers 403 instead of 404 for an object that doesn't exist.
  statement {
    sid       = "TellMissingFromForbidden"
    actions   = ["s3:ListBucket"]
    resources = [module.destination.arn, module.source.arn]
  }
}

# The ARN of a bucket names no account. source_account refuses a bucket of the same name that somebody else
# creates after ours was deleted.
resource "aws_lambda_permission" "source" {
  statement_id   = "AllowSourceBucket"
  action         = "lambda:InvokeFunction"
  function_name  = module.function.name
  principal      = "s3.amazonaws.com"
  source_arn     = module.source.arn
  source_account = data.aws_caller_identity.current.account_id
}

resource "aws_s3_bucket_notification" "source" {
  bucket = module.source.name

  lambda_function {
    id                  = "text-processor"
    lambda_function_arn = module.function.arn
    events              = ["s3:ObjectCreated:*"]
    filter_suffix       = ".txt"
  }

  # S3 checks the permission when the notification is created.
  depends_on = [aws_lambda_permission.source]
}
