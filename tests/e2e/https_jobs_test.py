"""HTTP jobs before a server with TLS, whose certificate is of an authority of the test's own."""

import ssl
import subprocess
import unittest

from http_hook import HookTest


class Authority:
    """Signs certificates; the files are in a directory of the test's."""

    def __init__(self, path):
        self.path = path
        self.certificate = path("ca.pem")
        self.openssl("req", "-x509", *self.new_key("ca.key"), "-subj", "/CN=test authority",
                     "-days", "2", "-out", self.certificate)

    def context_for(self, names, days=2):
        """What a server with a certificate for `names` ("IP:127.0.0.1") serves with."""
        self.openssl("req", *self.new_key("server.key"), "-subj", "/CN=test", "-out",
                     self.path("server.csr"))
        with open(self.path("names"), "w", encoding="ascii") as extensions:
            extensions.write("subjectAltName=" + names)
        self.openssl("x509", "-req", "-in", self.path("server.csr"), "-CA", self.certificate,
                     "-CAkey", self.path("ca.key"), "-CAcreateserial", "-days", str(days),
                     "-extfile", self.path("names"), "-out", self.path("server.pem"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path("server.pem"), self.path("server.key"))
        return context

    def new_key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                self.path(name))

    def openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, capture_output=True)


class HttpsJobsTest(HookTest):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.path)

    def secure_hook(self, *words, **fields):
        return self.hook(context=self.authority.context_for(*words, **fields))

    def result_of(self, server, url):
        result, = self.results(self.stream(server, self.submit(server, self.spec(url))))
        return result

    def assert_refused(self, server, hook, why):
        result = self.result_of(server, hook.url("/?secret"))
        self.assertEqual(self.state_name(result), "JOB_STATE_FAILED")
        reason = self.stubs["event_pb2"].Reason.Name(result.error.reason)
        self.assertEqual(reason, "REASON_HTTP_FAILED")
        self.assertIn(why, result.error.message)
        self.assertNotIn("secret", result.error.message)
        self.assertTrue(hook.requests.empty(), "nothing was sent")

    def test_a_certificate_of_an_authority_that_is_trusted_is_accepted(self):
        hook = self.secure_hook("IP:127.0.0.1")
        server = self.serve_for(hook, ca_file=self.authority.certificate)
        result = self.result_of(server, hook.url("/a"))
        self.assertEqual(self.state_name(result), "JOB_STATE_SUCCEEDED", result.error.message)
        self.assertEqual(result.output, b"there")
        self.assertEqual(hook.next_request().path, "/a")

    def test_a_certificate_of_another_authority_is_refused(self):
        hook = self.secure_hook("IP:127.0.0.1")
        self.assert_refused(self.serve_for(hook), hook, "certificate")

    def test_a_certificate_of_an_authority_that_is_not_in_the_file_is_refused(self):
        hook = self.secure_hook("IP:127.0.0.1")
        other = Authority(lambda name: self.path("other-" + name))
        self.assert_refused(self.serve_for(hook, ca_file=other.certificate), hook, "certificate")

    def test_a_certificate_for_another_name_is_refused(self):
        hook = self.secure_hook("DNS:elsewhere.test")
        server = self.serve_for(hook, ca_file=self.authority.certificate)
        self.assert_refused(server, hook, "127.0.0.1")

    def test_a_certificate_that_has_expired_is_refused(self):
        hook = self.secure_hook("IP:127.0.0.1", days=-1)
        server = self.serve_for(hook, ca_file=self.authority.certificate)
        self.assert_refused(server, hook, "expired")


if __name__ == "__main__":
    unittest.main()
