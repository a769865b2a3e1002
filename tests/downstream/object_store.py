"""An S3 server on loopback for one test. Usage: object_store.py FOLDER

Uploads every file of FOLDER to s3://crm/in/, prints the address of the server, and waits until stdin is
closed. Then it copies everything under s3://crm/out/ to FOLDER/out.
"""
import pathlib
import sys

import boto3
from moto.server import ThreadedMotoServer

folder = pathlib.Path(sys.argv[1])
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f"http://{host}:{port}"
client = boto3.client(
    "s3",
    endpoint_url=address,
    region_name="us-east-1",
    aws_access_key_id="testing",
    aws_secret_access_key="testing",
)
client.create_bucket(Bucket="crm")
for file in sorted(path for path in folder.iterdir() if path.is_file()):
    client.upload_file(str(file), "crm", f"in/{file.name}")
print(address, flush=True)
sys.stdin.read()
for page in client.get_paginator("list_objects_v2").paginate(Bucket="crm", Prefix="out/"):
    for found in page.get("Contents", []):
        target = folder / found["Key"]
        target.parent.mkdir(parents=True, exist_ok=True)
        client.download_file("crm", found["Key"], str(target))
server.stop()
