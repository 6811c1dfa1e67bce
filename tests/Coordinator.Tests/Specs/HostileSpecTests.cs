using CsCheck;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Tests.Specs;

/// <summary>Fields with anything in them: a spec or errors, each of which says where, what and what to do.</summary>
public class HostileSpecTests
{
    private static readonly string[] _words =
    [
        "hold", "churn", "http", "echo", "hold=1,http=2", "fin", "rst", "peer", "10s", "1s-2s", "exp:5s", "5/s", "v1", "v2", "10.0.0.0/8", "1.2", "1.3", "always", "release", "on",
        "http://h/", "tls://10.0.0.5:443", "200-299", "A: b",
    ];

    private static readonly Gen<string?> _texts = Gen.Frequency((3, Gen.Const((string?)null)), (2, Gen.OneOf(_words).Select(w => (string?)w)), (1, HostileText.Any.Select(t => (string?)t)));

    private static readonly Gen<RunSpecInput> _inputs = Gen.Select(_texts.Array[30], Gen.Byte.Array[0, 30], Gen.Bool, (t, bytes, flag) => new RunSpecInput
    {
        Targets = [t[0] ?? "10.0.0.5:443"],
        Connections = "10",
        Workload = t[1],
        Lifetime = t[2] is { } life ? life : (LifetimeInput?)null,
        Close = t[3],
        RequestsPerSecond = Of<double>(t[4]),
        ThinkTime = Of<TimeSpan>(t[5]),
        Heartbeat = Of<TimeSpan>(t[6]),
        RequestsPerConnection = Of<long>(t[7]),
        RequestTimeout = Of<TimeSpan>(t[8]),
        Method = t[9],
        Headers = t[10] is { } header ? [header, t[11] ?? ""] : [],
        Host = t[12],
        ExpectStatus = t[13],
        MessageSize = Of<long>(t[14]),
        Body = flag ? bytes : default,
        ProxyProtocol = t[15],
        ProxyClients = t[16],
        NoDelay = t[17],
        KeepAlive = Of<TimeSpan>(t[18]),
        SendBuffer = Of<long>(t[19]),
        UserTimeout = Of<TimeSpan>(t[20]),
        Reuse = t[21],
        Tls = new()
        {
            Min = t[22],
            Max = t[23],
            ServerName = t[24],
            Alpn = t[25],
            Ciphers = t[26],
            Resume = Of<double>(t[27]),
            Idle = t[28],
            Shutdown = t[29],
            Insecure = flag,
            Key = flag ? default : bytes,
        },
    });

    private static Quantity<T>? Of<T>(string? text)
        where T : struct => text is null ? null : (Quantity<T>?)text;

    [Test]
    public void Validate_Anything_IsASpecOrErrorsThatHelp() => _inputs.Sample(
        input =>
        {
            var result = RunSpecValidator.Validate(input, _ => null);
            return result.Spec is not null ? result.Errors.IsEmpty : !result.Errors.IsEmpty && result.Errors.All(Helps);
        },
        iter: 5000);

    [Test]
    public void Validate_ValuesThatNoTextGives_NeverThrow() => Gen.Select(
        Gen.OneOf(double.NaN, double.PositiveInfinity, -1, 0, 1e300, 0.5), Gen.OneOf(TimeSpan.MinValue, TimeSpan.MaxValue, TimeSpan.FromTicks(-1), TimeSpan.Zero, TimeSpan.FromSeconds(1)),
        Gen.OneOf(long.MinValue, long.MaxValue, -1, 0, 5)).Sample((rate, time, count) =>
    {
        var input = new RunSpecInput
        {
            Targets = ["https://10.0.0.5"],
            Connections = "10",
            RequestsPerSecond = rate,
            RequestTimeout = time,
            RequestsPerConnection = count,
            KeepAlive = time,
            UserTimeout = time,
            SendBuffer = count,
            Workload = "http,churn",
            Lifetime = new LifetimeSpec(V1.LifetimeSpread.Uniform, time, TimeSpan.MaxValue),
            Tls = new() { Resume = rate },
        };
        var result = RunSpecValidator.Validate(input, _ => null);
        return !result.Errors.IsEmpty && result.Errors.All(Helps);
    });

    private static bool Helps(SpecError error) => error.Field.StartsWith("--", StringComparison.Ordinal) && error.Problem.Length > 0 && error.Remedy.Length > 0
        && !error.Message.Any(char.IsControl) && error.Message.Length < 2000 && error.Message.EndsWith('.');
}
