import io.tus.java.client.ProtocolException;
import io.tus.java.client.TusClient;
import io.tus.java.client.TusExecutor;
import io.tus.java.client.TusURLMemoryStore;
import io.tus.java.client.TusUpload;
import io.tus.java.client.TusUploader;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.util.HashMap;
import java.util.Map;

/**
 * Uploads one file with tus-java-client and prints "url=..." and "resumedAt=...".
 *
 * <p>Arguments are pairs "name=value": endpoint, file, payload (bytes in one request), chunk (bytes
 * in one write), leaveAt (see below), how ("finish" or "abandon"), retries.
 *
 * <p>With leaveAt the first uploader is left after that many bytes: its request ends properly
 * ("finish"), or it stays open and silent ("abandon"), as with a phone that lost its network. A
 * second uploader then resumes the upload by the URL in the memory store.
 */
public final class Upload {
    private static final int DEFAULT_SIZE = 1024 * 1024;

    private final Map<String, String> arguments = new HashMap<>();
    private final TusClient client = new TusClient();
    private final TusUpload upload;
    private TusUploader uploader;
    private long resumedAt = -1;

    private Upload(String[] pairs) throws IOException {
        for (String pair : pairs) {
            String[] parts = pair.split("=", 2);
            arguments.put(parts[0], parts[1]);
        }
        client.setUploadCreationURL(new URL(arguments.get("endpoint")));
        client.enableResuming(new TusURLMemoryStore());
        upload = new TusUpload(new File(arguments.get("file")));
    }

    public static void main(String[] pairs) throws Exception {
        Upload run = new Upload(pairs);
        if (run.arguments.containsKey("leaveAt")) {
            run.leaveHalfway();
        }
        run.uploadWithRetries();
        System.out.println("url=" + run.uploader.getUploadURL());
        System.out.println("resumedAt=" + run.resumedAt);
    }

    private int number(String name, int otherwise) {
        return Integer.parseInt(arguments.getOrDefault(name, String.valueOf(otherwise)));
    }

    private void open() throws ProtocolException, IOException {
        uploader = client.resumeOrCreateUpload(upload);
        uploader.setRequestPayloadSize(number("payload", DEFAULT_SIZE));
        uploader.setChunkSize(number("chunk", DEFAULT_SIZE));
    }

    private void leaveHalfway() throws ProtocolException, IOException {
        open();
        while (uploader.getOffset() < number("leaveAt", 0)) {
            uploader.uploadChunk();
        }
        if (arguments.get("how").equals("finish")) {
            uploader.finish(false);
        }
    }

    private void uploadWithRetries() throws ProtocolException, IOException {
        TusExecutor executor = new TusExecutor() {
            @Override
            protected void makeAttempt() throws ProtocolException, IOException {
                open();
                resumedAt = uploader.getOffset();
                while (uploader.uploadChunk() > -1) {
                    continue;
                }
                uploader.finish();
            }
        };
        executor.setDelays(new int[number("retries", 0)]);
        executor.makeAttempts();
    }
}
