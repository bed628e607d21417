# Over modules/site. To the emulator, what CloudFront asks of a bucket does not come by TLS, so the policy's refusal of
# anything else is left out; that only this distribution may read stays.

resource "aws_s3_bucket_policy" "this" {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "CloudFrontReads"
      Effect    = "Allow"
      Principal = { Service = "cloudfront.amazonaws.com" }
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_bucket.this.arn}/*"
      Condition = { StringEquals = { "aws:SourceArn" = var.distribution_arn } }
    }]
  })
}
