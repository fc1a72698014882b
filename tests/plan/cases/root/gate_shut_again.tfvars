deploy_test_resources = false
