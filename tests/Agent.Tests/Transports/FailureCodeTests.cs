using LoadHarness.Agent.Interop.OpenSsl;
using LoadHarness.Agent.Transports;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Transports;

/// <summary>Numbers of failures, and their words: OpenSSL's own words for a number are held against ours.</summary>
public sealed class FailureCodeTests
{
    private const uint SslLibrary = 20 << 23;
    private const uint RsaLibrary = 4 << 23;

    [TestCase(0)]
    [TestCase(104)]
    [TestCase(503)]
    [TestCase(9_999)]
    [TestCase(50_000)]
    [TestCase(-1)]
    [TestCase(int.MaxValue)]
    public void Describe_WhatIsNoCode_SaysNothing(int code) => Assert.That(FailureCode.Describe(code), Is.Null);

    [Test]
    public void Describe_EveryRange_HasWordsAndItsNumber() =>
        Assert.Multiple(() =>
        {
            Assert.That(FailureCode.Describe(FailureCode.OfAlert(116)), Is.EqualTo("alert 116, certificate required"));
            Assert.That(FailureCode.Describe(FailureCode.OfAlert(255)), Is.EqualTo("alert 255, unknown"));
            Assert.That(FailureCode.Describe(FailureCode.OfVerifyResult(10)), Is.EqualTo("the certificate has expired"));
            Assert.That(FailureCode.Describe(FailureCode.OfVerifyResult(9_999)), Does.Contain("9999"));
            Assert.That(FailureCode.Describe(FailureCode.OfReason(267)), Does.StartWith("no TLS record"));
            Assert.That(FailureCode.Describe(FailureCode.OfReason(9_999)), Does.Contain("9999"));
            Assert.That(Enum.GetValues<ResponseFault>().Where(f => f != ResponseFault.None).Select(f => FailureCode.Describe(FailureCode.OfResponse(f))),
                Is.Unique.And.All.Not.StartsWith("response fault"));
        });

    // The right column is the library's own: a number that we took for another would be seen here.
    [TestCase(2, "unable to get issuer certificate")]
    [TestCase(7, "certificate signature failure")]
    [TestCase(9, "certificate is not yet valid")]
    [TestCase(10, "certificate has expired")]
    [TestCase(18, "self-signed certificate")]
    [TestCase(19, "self-signed certificate in certificate chain")]
    [TestCase(20, "unable to get local issuer certificate")]
    [TestCase(22, "certificate chain too long")]
    [TestCase(23, "certificate revoked")]
    [TestCase(24, "issuer certificate doesn't have a public key")]
    [TestCase(25, "path length constraint exceeded")]
    [TestCase(26, "unsuitable certificate purpose")]
    [TestCase(47, "permitted subtree violation")]
    [TestCase(62, "hostname mismatch")]
    [TestCase(64, "IP address mismatch")]
    [TestCase(66, "EE certificate key too weak")]
    [TestCase(67, "CA certificate key too weak")]
    [TestCase(68, "CA signature digest algorithm too weak")]
    [TestCase(79, "invalid CA certificate")]
    public void VerifyResult_HasWordsOfItsOwnForWhatOpenSslMeans(int result, string meaning) => Assert.Multiple(() =>
    {
        Assert.That(TlsErrors.DescribeVerifyResult(result), Is.EqualTo(meaning));
        Assert.That(FailureCode.Describe(FailureCode.OfVerifyResult(result)), Does.Not.Contain("X509_V_ERR"));
    });

    [TestCase(267, "wrong version number")]
    [TestCase(191, "no protocols available")]
    [TestCase(198, "packet length too long")]
    [TestCase(281, "decryption failed or bad record mac")]
    [TestCase(294, "unexpected eof while reading")]
    [TestCase(394, "dh key too small")]
    public void Reason_HasWordsOfItsOwnForWhatOpenSslMeans(int reason, string meaning) => Assert.Multiple(() =>
    {
        Assert.That(TlsErrors.Describe(SslLibrary | (uint)reason), Is.EqualTo(meaning));
        Assert.That(FailureCode.Describe(FailureCode.OfReason(reason)), Does.Not.Contain("OpenSSL reason"));
    });

    [Test]
    public void ReasonOf_OtherLibraries_HaveNumbersOfTheirOwn() => Assert.Multiple(() =>
    {
        // 134 is CERTIFICATE_VERIFY_FAILED of TLS and LAST_OCTET_INVALID of RSA.
        Assert.That((TlsErrors.IsVerifyFailure(SslLibrary | 134), TlsErrors.IsVerifyFailure(RsaLibrary | 134)), Is.EqualTo((true, false)));
        Assert.That((TlsErrors.ReasonOf(RsaLibrary | 134), TlsErrors.ReasonOf(0x8000_0000 | 104)), Is.EqualTo((0, 0)));
        // ERR_R_MALLOC_FAILURE and ERR_R_INTERNAL_ERROR are no reasons of TLS, whichever library says them.
        Assert.That((TlsErrors.ReasonOf(SslLibrary | 0xC0100), TlsErrors.ReasonOf(SslLibrary | 0xC0103)), Is.EqualTo((0, 0)));
        Assert.That((TlsErrors.IsMemoryFailure(RsaLibrary | 0xC0100), TlsErrors.IsMemoryFailure(SslLibrary | 0xC0103)), Is.EqualTo((true, false)));
    });

    [Test]
    public void Fault_OfAnErrno_IsItsCauseOrTheFin() => Assert.Multiple(() =>
    {
        Assert.That(TransportFault.OfErrno(0), Is.EqualTo(TransportFault.Fin));
        Assert.That(TransportFault.OfErrno(104), Is.EqualTo(new TransportFault(FailureCause.Reset, 104)));
        Assert.That(TransportFault.UncleanEnd.Cause, Is.EqualTo(TransportFault.Fin.Cause), "both are ends by FIN");
        Assert.That(TransportFault.UncleanEnd, Is.Not.EqualTo(TransportFault.Fin));
    });

    [Test]
    public void Fault_IsOfSocket_WhereAnEventTellsOfItToo() => Assert.That(
        new[] { TransportFault.Fin, TransportFault.OfErrno(104), new(FailureCause.Alert, FailureCode.OfAlert(0)), TransportFault.Unasked, new(FailureCause.Memory, 0) }
            .Select(f => f.IsOfSocket), Is.EqualTo(new[] { true, true, false, false, false }));
}
