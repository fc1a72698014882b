data "aws_caller_identity" "current" {}

locals {
  # AWS emulators use this account; no customer has it.
  emulated = data.aws_caller_identity.current.account_id == "000000000000"
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_21:older versions would keep objects that were overwritten or deleted on purpose
  #checkov:skip=CKV2_AWS_62:the modules that use the bucket declare its notifications

  bucket_prefix = substr(var.name_prefix, 0, 37) # the provider's limit
  force_destroy = var.ephemeral

  # An ephemeral bucket needs no rules, since it is destroyed with its objects. Others have blocks here, which
  # provider 6 calls deprecated: provider 3.39 doesn't know the resource that replaces them.
  dynamic "lifecycle_rule" {
    for_each = var.ephemeral ? [] : [1]

    content {
      id                                     = "abort-incomplete-uploads"
      enabled                                = true
      abort_incomplete_multipart_upload_days = 1
    }
  }

  dynamic "lifecycle_rule" {
    for_each = var.expire_after_days > 0 && !var.ephemeral ? [var.expire_after_days] : []

    content {
      id      = "expire"
      enabled = true

      expiration {
        days = lifecycle_rule.value
      }
    }
  }

  lifecycle {
    # S3 encrypts every object with AES256 by itself. Provider 3.39 would remove that setting.
    ignore_changes = [server_side_encryption_configuration]
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    # "BucketOwnerEnforced" disables ACLs. Provider 3.39, which is used with emulators in closed networks,
    # doesn't know it.
    object_ownership = local.emulated ? "BucketOwnerPreferred" : "BucketOwnerEnforced"
  }

  # S3 refuses concurrent changes to one bucket ("A conflicting conditional operation is in progress").
  depends_on = [aws_s3_bucket_public_access_block.this]
}

data "aws_iam_policy_document" "tls_only" {
  statement {
    sid       = "DenyPlainHttp"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

# Emulators use plain HTTP.
resource "aws_s3_bucket_policy" "tls_only" {
  count = local.emulated ? 0 : 1

  bucket = aws_s3_bucket.this.id
  policy = data.aws_iam_policy_document.tls_only.json

  depends_on = [aws_s3_bucket_ownership_controls.this]
}
