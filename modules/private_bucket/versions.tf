terraform {
  required_version = ">= 1.3"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 4.0 to 4.8 refuse the bucket's blocks for encryption and lifecycle, which are all that 3.39 knows:
      # https://github.com/hashicorp/terraform-provider-aws/issues/23103. What a module excludes holds for all.
      version = ">= 3.39, != 4.0.0, != 4.1.0, != 4.2.0, != 4.3.0, != 4.4.0, != 4.5.0, != 4.6.0, != 4.7.0, != 4.8.0, < 7.0"
    }
  }
}
