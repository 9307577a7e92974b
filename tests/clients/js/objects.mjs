// What an application does with S3, by the SDK's own means: prints what it saw as JSON.
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { createPresignedPost } from "@aws-sdk/s3-presigned-post";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { Readable } from "node:stream";

const Bucket = process.argv[2];
const s3 = new S3Client({ forcePathStyle: true });
const told = {};

await s3.send(new PutObjectCommand({ Bucket, Key: "in/a b+ü.txt", Body: "from node" }));
const parts = Array.from({ length: 11 }, (_, n) => Buffer.alloc(1024 * 1024, n));
await new Upload({ client: s3, params: { Bucket, Key: "in/big.bin", Body: Readable.from(parts) } }).done();

const text = await s3.send(new GetObjectCommand({ Bucket, Key: "in/a b+ü.txt" }));
told.text = await text.Body.transformToString();
const big = await s3.send(new GetObjectCommand({ Bucket, Key: "in/big.bin" }));
const bytes = Buffer.from(await big.Body.transformToByteArray());
told.big = bytes.equals(Buffer.concat(parts)) ? bytes.length : "it came back changed";
told.keys = (await list()).sort();

const at = { Bucket, Key: "in/presigned.txt" };
const put = await getSignedUrl(s3, new PutObjectCommand(at));
told.presignedPut = (await fetch(put, { method: "PUT", body: "presigned" })).status;
told.presignedGet = await (await fetch(await getSignedUrl(s3, new GetObjectCommand(at)))).text();

const post = await createPresignedPost(s3, {
  Bucket,
  Key: "in/form.txt",
  Conditions: [["content-length-range", 1, 100]],
});
const form = new FormData();
for (const [name, value] of Object.entries(post.fields)) form.append(name, value);
form.append("file", new Blob(["in a form"]), "form.txt");
told.form = (await fetch(post.url, { method: "POST", body: form })).status;

const keys = ["in/a b+ü.txt", "in/big.bin", "out/x"];
const gone = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } }));
told.deleted = gone.Deleted.map((item) => item.Key).sort();
told.notDeleted = gone.Errors.map((item) => item.Key);

told.denied = await nameOfError(new PutObjectCommand({ Bucket, Key: "out/x", Body: "no" }));
told.missing = await nameOfError(new GetObjectCommand({ Bucket, Key: "in/nothing" }));
told.remaining = (await list()).sort();
console.log(JSON.stringify(told));

async function list() {
  const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: "in/" }));
  return (listed.Contents ?? []).map((item) => item.Key);
}

async function nameOfError(command) {
  try {
    await s3.send(command);
    return "nothing was wrong";
  } catch (error) {
    return error.name;
  }
}
