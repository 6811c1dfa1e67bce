using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Fleet;

/// <summary>One message with the remedy for each thing that stands between a user or an agent and a coordinator.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class FleetBadInputTests : FleetTest
{
    private const int Usage = 2;
    private const int Unreachable = 6;
    private const UnixFileMode ReadableByAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    [Test]
    public async Task User_WithTheWrongAddressProtocolOrCa_IsToldWhich()
    {
        await Fleet.ServeAsync("--listen", "127.0.0.1:7444");
        await Bench.FinishAsync(Fleet.Start(new ProgramStart(Programs.LoadHarness, "certs", "init", "--state", Fleet.PathOf("other"))
            .With("DOTNET_ROOT", Programs.DotnetRoot)));

        await ExpectUserAsync($"runs list --coordinator https://{FleetBench.Address}:7999", Unreachable, $"{FleetBench.Address}:7999", "nobody listens");
        await ExpectUserAsync("runs list --coordinator http://127.0.0.1:7444", Unreachable, "127.0.0.1:7444", "https://");
        await ExpectUserAsync($"runs list --coordinator http://{FleetBench.Address}:7443", Usage, "https://");
        await ExpectUserAsync($"runs list --ca {Fleet.PathOf("other/ca/ca.pem")}", Unreachable, "certificate", "--ca");
        await ExpectUserAsync("runs list --ca /nonexistent.pem", Usage, "/nonexistent.pem");
        await ExpectUserAsync("runs list --coordinator ftp://10.77.0.1", Usage, "ftp://10.77.0.1", "https://");
    }

    [Test]
    public async Task User_WithAWrongExpiredOrExposedToken_IsToldWhich()
    {
        await Fleet.ServeAsync();
        await Bench.FinishAsync(Fleet.Administer("tokens", "create", "brief", "--role", "viewer", "--expires", "1s", "--out", Fleet.PathOf("brief.token")));
        WriteSecret("wrong.token", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_'));
        File.Copy(Fleet.PathOf("ops.token"), Fleet.PathOf("exposed.token"));
        File.SetUnixFileMode(Fleet.PathOf("exposed.token"), ReadableByAll);
        await Task.Delay(1_500);

        await ExpectUserAsync("runs list", Unreachable, ["expired", "tokens create"], token: "brief");
        await ExpectUserAsync("runs list", Unreachable, ["token"], token: "wrong");
        await ExpectUserAsync("runs list", Usage, ["exposed.token", "chmod 600"], token: "exposed");
        await ExpectUserAsync("run 10.77.0.9:443 -c 1", Unreachable, ["guest", "viewer", "operator"], token: "guest");
        await ExpectUserAsync("runs list", Unreachable, ["fleet", "agent"], token: "fleet");
    }

    [Test]
    public async Task Agent_WithTheWrongAddressProtocolCaOrToken_IsToldWhich()
    {
        await Fleet.ServeAsync();
        await Bench.FinishAsync(Fleet.Administer("tokens", "create", "brief", "--role", "agent", "--expires", "1s", "--out", Fleet.PathOf("brief.token")));
        await Bench.FinishAsync(Fleet.Start(new ProgramStart(Programs.LoadHarness, "certs", "init", "--state", Fleet.PathOf("other"))
            .With("DOTNET_ROOT", Programs.DotnetRoot)));
        File.Copy(Fleet.PathOf("fleet.token"), Fleet.PathOf("exposed.token"));
        File.SetUnixFileMode(Fleet.PathOf("exposed.token"), ReadableByAll);
        await Task.Delay(1_500);

        await ExpectAgentAsync("other/ca/ca.pem", "fleet.token", Unreachable, "certificate", "--ca");
        await ExpectAgentAsync("state/ca/ca.pem", "brief.token", Unreachable, "expired", "tokens create");
        await ExpectAgentAsync("state/ca/ca.pem", "ops.token", Unreachable, "ops", "operator", "tokens create");
        await ExpectAgentAsync("state/ca/ca.pem", "exposed.token", Usage, "exposed.token", "chmod 600");
        await ExpectAgentAsync("state/ca/ca.pem", "missing.token", Usage, "missing.token");
    }

    [Test]
    public async Task Serve_WithACertificateThatHasExpiredOrAnExposedKey_RefusesToStart()
    {
        MakeExpiredCertificate();
        var expired = await Bench.FinishAsync(Fleet.Administer(
            "serve", "--listen", $"{FleetBench.Address}:7443", "--cert", Fleet.PathOf("expired.pem"), "--key", Fleet.PathOf("expired.key")));
        File.SetUnixFileMode(Fleet.PathOf("state/tls/server.key"), ReadableByAll);
        var exposed = await Bench.FinishAsync(Fleet.Administer("serve", "--listen", $"{FleetBench.Address}:7443"));

        Expect(expired, Usage, "expired.pem", "expired", "certs issue server");
        Expect(exposed, Usage, "server.key", "chmod 600");
    }

    [Test]
    public async Task Serve_BeyondLoopbackWithoutACertificate_PrintsTheCommandsThatMakeOne()
    {
        var bare = await Bench.FinishAsync(Fleet.Bare($"serve --listen {FleetBench.Address}:7443 --state {Fleet.PathOf("fresh")}"));

        Expect(bare, Usage, "TLS", "loadharness certs init", $"loadharness certs issue server --host {FleetBench.Address}");
    }

    [Test]
    public async Task Serve_OnADamagedStore_RefusesAndLeavesItAsItIs()
    {
        var path = Fleet.PathOf("state/store.db");
        await File.WriteAllBytesAsync(path, RandomNumberGenerator.GetBytes(8_192));
        var before = SHA256.HashData(await File.ReadAllBytesAsync(path));

        var served = await Bench.FinishAsync(Fleet.Administer("serve", "--listen", $"{FleetBench.Address}:7443"));

        Expect(served, Usage, "store.db");
        Assert.That(SHA256.HashData(await File.ReadAllBytesAsync(path)), Is.EqualTo(before));
    }

    [Test]
    public async Task Agent_WithTheIdentityOfAnother_IsRefusedWithHostAndProcessOfIt()
    {
        var (one, two) = (Fleet.Lan.AddHost("10.77.1.1/16"), Fleet.Lan.AddHost("10.77.2.1/16"));
        await Fleet.ServeAsync();
        var first = Fleet.Agent(one, "a1");
        await Fleet.IdleAsync("a1");

        // Another key, and the same key on another host: a copied state folder.
        var stranger = Fleet.AgentStart(two, [.. JoinWith("stranger", "state/ca/ca.pem", "fleet.token")]);
        var refused = await Bench.FinishAsync(stranger, Bench.Soon);
        Command.Run("cp", "-a", Fleet.PathOf("agents/a1"), Fleet.PathOf("agents/copy"));
        var copy = await Bench.FinishAsync(Fleet.AgentStart(two, [.. JoinWith("copy", "state/ca/ca.pem", "fleet.token")]), Bench.Soon);

        Expect(refused, Unreachable, "a1", "agents forget a1");
        Expect(copy, Unreachable, "a1", first.Pid.ToString(CultureInfo.InvariantCulture));
        Assert.That(first.HasExited, Is.False);
        await Fleet.IdleAsync("a1");
    }

    private async Task ExpectUserAsync(string line, int code, params string[] parts) => await ExpectUserAsync(line, code, parts, "ops");

    private async Task ExpectUserAsync(string line, int code, string[] parts, string token) => Expect(await Fleet.RunAsync(line, token), code, parts);

    private async Task ExpectAgentAsync(string ca, string token, int code, params string[] parts) =>
        Expect(await Bench.FinishAsync(Fleet.AgentStart(Fleet.Host, JoinWith("fresh", ca, token)), Bench.Soon), code, parts);

    private string[] JoinWith(string state, string ca, string token) =>
    [
        "join", FleetBench.Url, "--id", "a1", "--state", Fleet.PathOf($"agents/{state}"), "--ca", Fleet.PathOf(ca),
        "--join-token-file", Fleet.PathOf(token),
    ];

    private void WriteSecret(string name, string text)
    {
        File.WriteAllText(Fleet.PathOf(name), text);
        File.SetUnixFileMode(Fleet.PathOf(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private void MakeExpiredCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        var request = new CertificateRequest("CN=expired", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(now.AddDays(-3), now.AddDays(-1));
        File.WriteAllText(Fleet.PathOf("expired.pem"), certificate.ExportCertificatePem());
        WriteSecret("expired.key", key.ExportPkcs8PrivateKeyPem());
    }

    private static void Expect(ProgramResult result, int code, params string[] parts)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.ExitCode, Is.EqualTo(code), result.Log);
            foreach (var part in parts)
                Assert.That(result.Error, Does.Contain(part), result.What.ToString());
            Assert.That(result.Log, Does.Not.Contain("   at ").And.Not.Contain("Unhandled"));
            Assert.That(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.LessThan(8), $"one message: {result.Error}");
        }
    }
}
