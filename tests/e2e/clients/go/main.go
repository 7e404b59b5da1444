// Uploads one file with tusgo and prints a JSON object about the upload.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/bdragon300/tusgo"
)

type task struct {
	file     string
	mode     string
	checksum string
	chunk    int64
	parts    int
	leaveAt  int64
}

// report is what the tests look at. Code says why the server or the client refused.
type report struct {
	URL       string            `json:"url"`
	Code      string            `json:"code"`
	Status    int               `json:"status"`
	ResumedAt int64             `json:"resumed_at"`
	Expires   string            `json:"expires"`
	Metadata  map[string]string `json:"metadata"`
}

func main() {
	var t task
	endpoint := flag.String("endpoint", "", "URL to create uploads at")
	flag.StringVar(&t.file, "file", "", "file to upload")
	flag.StringVar(&t.mode, "mode", "plain", "plain, defer, with-creation, concat")
	flag.StringVar(&t.checksum, "checksum", "", "algorithm of the checksum of each request")
	flag.Int64Var(&t.chunk, "chunk", 1<<20, "bytes in one request; 0: all, the checksum in a trailer")
	flag.IntVar(&t.parts, "parts", 3, "partial uploads with -mode concat")
	flag.Int64Var(&t.leaveAt, "leave-at", 0, "leave the first stream here and resume with another")
	flag.Parse()

	base, err := url.Parse(*endpoint)
	exitOn(err)
	done, err := t.run(tusgo.NewClient(http.DefaultClient, base))
	exitOn(describe(&done, err))
	exitOn(json.NewEncoder(os.Stdout).Encode(done))
}

func (t task) run(client *tusgo.Client) (report, error) {
	file, err := os.Open(t.file)
	if err != nil {
		return report{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return report{}, err
	}
	switch t.mode {
	case "concat":
		return t.concatenate(client, file, info.Size())
	case "with-creation":
		return t.createWithData(client, file, info.Size())
	default:
		return t.upload(client, file, info.Size())
	}
}

func (t task) upload(client *tusgo.Client, file *os.File, length int64) (report, error) {
	var upload tusgo.Upload
	announced := length
	if t.mode == "defer" {
		announced = tusgo.SizeUnknown
	}
	metadata := map[string]string{"filename": "große Datei.bin"}
	if _, err := client.CreateUpload(&upload, announced, false, metadata); err != nil {
		return report{}, err
	}
	upload.RemoteSize = length
	done := report{URL: upload.Location}
	if upload.UploadExpired != nil {
		done.Expires = upload.UploadExpired.UTC().Format(time.RFC3339)
	}
	if t.leaveAt > 0 {
		if _, err := t.stream(client, &upload).ReadFrom(io.LimitReader(file, t.leaveAt)); err != nil {
			return done, err
		}
	}
	stream := t.stream(client, &upload)
	response, err := stream.Sync()
	if err != nil {
		return done, err
	}
	done.Status, done.ResumedAt = response.StatusCode, stream.Tell()
	if _, err := file.Seek(stream.Tell(), io.SeekStart); err != nil {
		return done, err
	}
	_, err = stream.ReadFrom(file)
	if stream.LastResponse != nil {
		done.Status = stream.LastResponse.StatusCode
	}
	if err != nil {
		return done, err
	}
	var stored tusgo.Upload
	_, err = client.GetUpload(&stored, upload.Location)
	done.Metadata = stored.Metadata
	return done, err
}

func (t task) stream(client *tusgo.Client, upload *tusgo.Upload) *tusgo.UploadStream {
	stream := tusgo.NewUploadStream(client, upload)
	stream.ChunkSize = t.chunk
	stream.SetUploadSize = t.mode == "defer"
	if t.checksum != "" {
		stream = stream.WithChecksumAlgorithm(t.checksum)
	}
	return stream
}

func (t task) createWithData(client *tusgo.Client, file *os.File, length int64) (report, error) {
	var upload tusgo.Upload
	first := make([]byte, length/2)
	if _, err := io.ReadFull(file, first); err != nil {
		return report{}, err
	}
	sent, _, err := client.CreateUploadWithData(&upload, first, length, false, nil)
	if err != nil {
		return report{}, err
	}
	if _, err := t.stream(client, &upload).ReadFrom(file); err != nil {
		return report{}, err
	}
	return report{URL: upload.Location, ResumedAt: sent}, nil
}

func (t task) concatenate(client *tusgo.Client, file *os.File, length int64) (report, error) {
	partials := make([]tusgo.Upload, t.parts)
	size := length / int64(t.parts)
	for n := range partials {
		if n == t.parts-1 {
			size = length - size*int64(t.parts-1)
		}
		if _, err := client.CreateUpload(&partials[n], size, true, nil); err != nil {
			return report{}, err
		}
		stream := t.stream(client, &partials[n])
		if _, err := stream.ReadFrom(io.LimitReader(file, size)); err != nil {
			return report{}, err
		}
	}
	var final tusgo.Upload
	_, err := client.ConcatenateUploads(&final, partials, map[string]string{"filename": "joined.bin"})
	return report{URL: final.Location}, err
}

func describe(done *report, err error) error {
	var refusal tusgo.TusError
	switch {
	case err == nil:
		done.Code = "ok"
	case errors.As(err, &refusal):
		done.Code = refusal.Error()
	default:
		return err
	}
	return nil
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
