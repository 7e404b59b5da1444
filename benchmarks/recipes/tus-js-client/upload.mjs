// A driver in the words of drivers/process.py: its job is its only argument; it says that it is
// ready, waits for a line, uploads, and prints how long that took and what it cost.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline/promises";
import * as tus from "tus-js-client";

const job = JSON.parse(process.argv[2]);

function upload() {
  return new Promise((onSuccess, onError) => {
    const options = {
      endpoint: `http://127.0.0.1:${job.port}/files/`,
      uploadSize: job.length,
      chunkSize: job.chunk,
      retryDelays: null,
      metadata: { filename: "holiday.mp4", filetype: "video/mp4" },
      onSuccess,
      onError,
    };
    new tus.Upload(createReadStream(job.body, { end: job.length - 1 }), options).start();
  });
}

const lines = createInterface({ input: process.stdin });
console.log("ready");
for await (const _ of lines) break;

const cpu = process.cpuUsage();
const start = performance.now();
try {
  await upload();
} catch (error) {
  console.error(error.message.split("\n")[0]);
  process.exit(1);
}
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ seconds, cpu_seconds: (user + system) / 1e6 }));
process.exit(0);
