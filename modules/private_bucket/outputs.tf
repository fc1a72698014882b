# Both outputs wait until the bucket is private: nothing is put into it before.

output "name" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.this.id
  depends_on  = [aws_s3_bucket_ownership_controls.this, aws_s3_bucket_policy.tls_only]
}

output "arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.this.arn
  depends_on  = [aws_s3_bucket_ownership_controls.this, aws_s3_bucket_policy.tls_only]
}
