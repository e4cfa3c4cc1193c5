"""The Runtime API of Lambda on loopback, for one function."""

import http.server
import queue
import threading
import time

TIMEOUT_SECONDS = 30
FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:muster"


class RuntimeApi(http.server.ThreadingHTTPServer):
    """Puts the moment of each request into a queue: `asked` for an invocation, `answered` with path and body."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Requests)
        self.address = f"127.0.0.1:{self.server_port}"
        self.invocations, self.asked, self.answered = queue.Queue(), queue.Queue(), queue.Queue()

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.invocations.put(None)
        self.shutdown()
        self.server_close()


class Requests(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer leaves in one piece and at once.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        self.server.asked.put(time.perf_counter())
        event = self.server.invocations.get()
        if event is None:
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        self.send_header("lambda-runtime-deadline-ms", str(int((time.time() + TIMEOUT_SECONDS) * 1_000)))
        self.send_header("lambda-runtime-invoked-function-arn", FUNCTION_ARN)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(event)))
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.answered.put((time.perf_counter(), self.path, body))
        self.send_response(202)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Nothing: the table is all that is printed."""
