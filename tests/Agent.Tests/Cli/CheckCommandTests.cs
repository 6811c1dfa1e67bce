using System.Text.Json;
using LoadHarness.Agent.Cli;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Preflight.Checks;
using LoadHarness.Agent.Tests.Preflight.Checks;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.Agent.Tests.Cli;

/// <summary>`loadharness-agent check`: what it shows, what --fix writes and sets, and with what it exits.</summary>
public class CheckCommandTests
{
    private static readonly HostNeed _need = Hosts.BothEnds with { Accepts = true, ConnectsPerSecond = 50_000 };

    private readonly StringWriter _out = new();
    private readonly StringWriter _log = new();
    private readonly List<string> _set = [];
    private string _folder = "";
    private string _file = "";

    [SetUp]
    public void MakeFolder()
    {
        _folder = Directory.CreateTempSubdirectory("check-").FullName;
        _file = Path.Combine(_folder, "90-loadharness.conf");
        _out.GetStringBuilder().Clear();
        _log.GetStringBuilder().Clear();
        _set.Clear();
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Run_Text_FitsAndShowsWhatFailsFirst()
    {
        var code = CommandOn(Hosts.With(Sysctl.FileMax, "100000")).Run(_need, json: false, file: null);

        var lines = _out.ToString().Split('\n');
        Assert.That(code, Is.EqualTo(4));
        Assert.That(lines.Where(l => l.Length > 80), Is.All.StartsWith("To set"), "only a line to type may be longer");
        var verdicts = lines.Skip(2).Select(l => l.Split(' ')[0]).Where(w => w is "ERROR" or "WARNING" or "NOTE" or "OK").ToArray();
        Assert.That(verdicts, Is.EqualTo(verdicts.OrderBy(v => Array.IndexOf(["ERROR", "WARNING", "NOTE", "OK"], v))));
        Assert.That(verdicts[0], Is.EqualTo("ERROR"));
        Assert.That(lines[0], Does.Contain("1,000,000 connections, both ends here, 50,000/s connects"));
    }

    [Test]
    public void Run_Verdict_IsTheExitCode()
    {
        Assert.That(CommandOn(Hosts.Usual).Run(new() { Connections = 100_000 }, json: false, file: null), Is.Zero);
        Assert.That(CommandOn(Hosts.Usual).Run(null, json: false, file: null), Is.Zero, "a note is none");
        Assert.That(CommandOn(Hosts.Usual).Run(Hosts.Million, json: false, file: null), Is.EqualTo(3));
    }

    [Test]
    public void Run_Json_HasEachCheckAndNothingElse()
    {
        CommandOn(Hosts.Usual).Run(_need, json: true, file: null);

        using var json = JsonDocument.Parse(_out.ToString());
        Assert.That(json.RootElement.GetProperty("schema").GetString(), Is.EqualTo("loadharness/check/v1"));
        Assert.That(json.RootElement.GetProperty("verdict").GetString(), Is.EqualTo("WARNING"));
        Assert.That(json.RootElement.GetProperty("need").GetProperty("connections").GetInt64(), Is.EqualTo(1_000_000));
        var names = json.RootElement.GetProperty("checks").EnumerateArray().Select(c => c.GetProperty("name").GetString());
        Assert.That(names, Is.EqualTo(HostChecks.Of(Hosts.Usual, null).Select(c => c.Name)));
    }

    [Test]
    public void Fix_Refused_ChangesNothing()
    {
        CommandOn(Hosts.Usual, confirm: false).Run(_need, json: false, _file);

        Assert.That(File.Exists(_file), Is.False);
        Assert.That(_set, Is.Empty);
        Assert.That(_log.ToString(), Does.Contain("net.ipv4.tcp_max_orphans = 1110000").And.Contain("Nothing was changed"));
    }

    [Test]
    public void Fix_Confirmed_WritesSetsAndSaysHowToUndo()
    {
        CommandOn(Hosts.Usual).Run(_need, json: false, _file);

        var text = File.ReadAllText(_file);
        Assert.That(text, Does.Contain("\nnet.ipv4.tcp_max_orphans = 1110000\n").And.Contain("# Before: 131072. Risk: "));
        Assert.That(_set, Does.Contain("net.ipv4.tcp_max_orphans=1110000"));
        Assert.That(_log.ToString(), Does.Contain("sysctl -w net.ipv4.tcp_mem=\"287901 383868 575802\""));
        Assert.That(Directory.GetFiles(_folder), Is.EqualTo(new[] { _file }), "no temporary file stays");
    }

    [Test]
    public void Fix_FileThatSaysMore_IsNeverLowered()
    {
        File.WriteAllText(_file, "# mine\nnet.ipv4.tcp_max_orphans=9000000\nnet.ipv4.tcp_mem = 1 2 9000000\n-vm.swappiness = 1\n");

        CommandOn(Hosts.Usual).Run(_need, json: false, _file);

        var text = File.ReadAllText(_file);
        Assert.That(text, Does.Contain("\nnet.ipv4.tcp_max_orphans = 9000000\n").And.Contain("\nnet.ipv4.tcp_mem = 1105000 1473332 9000000\n"));
        Assert.That(text, Does.Contain("\n-vm.swappiness = 1\n"), "what is not ours stays");
        Assert.That(File.ReadAllText(_file + ".before"), Does.StartWith("# mine"));
    }

    [Test]
    public void Fix_FileThatCannotBeWritten_SetsNothing()
    {
        var code = CommandOn(Hosts.Usual).Run(_need, json: false, Path.Combine(_folder, "missing", "file.conf"));

        Assert.That(code, Is.EqualTo(1));
        Assert.That(_set, Is.Empty);
        Assert.That(_log.ToString(), Does.Contain("cannot be written, and nothing was set"));
    }

    [Test]
    public void Fix_KernelThatRefuses_IsReportedAndTheRestIsSet()
    {
        var command = CommandOn(Hosts.Usual, set: (name, value) => name == Sysctl.TcpMemory ? "Read-only file system" : Keep(name, value));

        var code = command.Run(_need, json: false, _file);

        Assert.That(code, Is.EqualTo(3));
        Assert.That(_log.ToString(), Does.Contain("not set: net.ipv4.tcp_mem: Read-only file system").And.Contain("set: net.ipv4.tcp_max_orphans"));
    }

    [Test]
    public void Fix_InANetworkNamespace_SetsItsOwn()
    {
        using var space = NetworkNamespace.Create();
        space.SetSysctl("net.ipv4.tcp_max_tw_buckets", "1000");
        space.SetSysctl("net.core.somaxconn", "128");
        space.SetSysctl("net.ipv4.tcp_timestamps", "0");
        var need = new HostNeed { Connections = 10_000, ClosesPerSecond = 1_000, Accepts = true };

        var code = space.Enter(() => new CheckCommand { Hostname = "h", Out = _out, Error = _log, Confirm = () => true }.Run(need, json: false, _file));

        Assert.That(code, Is.Zero, $"{_log}{_out}");
        Assert.That(space.Sysctl("net.ipv4.tcp_max_tw_buckets"), Is.EqualTo("80000"));
        Assert.That(space.Sysctl("net.core.somaxconn"), Is.EqualTo("65535"));
        Assert.That(space.Sysctl("net.ipv4.tcp_timestamps"), Is.EqualTo("1"));
        Assert.That(_out.ToString(), Does.Contain("UNKNOWN  net.ipv4.tcp_mem: not to be seen in this network namespace"));
    }

    [Test]
    public void Process_WithoutATerminal_RefusesToAskAndNamesTheLine()
    {
        var result = Run("check", "--connections", "2M", "--both-ends", "--fix");

        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Error, Does.Contain("type: loadharness-agent check --connections 2000000 --both-ends --fix --yes"));
    }

    [Test]
    public void Process_WrongUsage_NamesEveryError()
    {
        var result = Run("check", "--connections", "0", "--connect-rate", "x", "--close-rate", "-1", "--yes", "--output", "f");

        Assert.That(result.ExitCode, Is.EqualTo(2));
        foreach (var option in new[] { "--connections", "--connect-rate", "--close-rate", "--yes", "--output" })
            Assert.That(result.Error, Does.Contain($"loadharness-agent: {option}"));
    }

    [Test]
    public void DeployedFile_HasWhatFixWritesForAMillion()
    {
        var poor = Hosts.With(Sysctl.FileMax, "100000", Hosts.With(Sysctl.SynCookies, "0", Hosts.With(Sysctl.MaxConnections, "128"))) with { Tracking = true };
        var written = SysctlFile.Changes(poor, HostChecks.Of(poor, _need), null).Select(c => c.Name);
        var deployed = File.ReadAllLines(DeployedFile()).Where(l => l.Length > 0 && l[0] != '#').Select(l => l.TrimStart('-').Split('=')[0].Trim());

        // No check knows how many neighbours there will be; cookies are the kernel's default.
        Assert.That(written.Except([Sysctl.SynCookies]), Is.EquivalentTo(deployed.Where(n => !n.Contains(".neigh."))));
    }

    private static string DeployedFile()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var file = Path.Combine(folder, "deploy", "sysctl.d", "90-loadharness.conf");
            if (File.Exists(file))
                return file;
        }

        throw new FileNotFoundException("deploy/sysctl.d/90-loadharness.conf");
    }

    private CheckCommand CommandOn(HostFacts host, bool confirm = true, Func<string, string, string?>? set = null) => new()
    {
        Hostname = "lab",
        Out = _out,
        Error = _log,
        Confirm = () => confirm,
        Read = () => host,
        Set = set ?? Keep,
    };

    private string? Keep(string name, string value)
    {
        _set.Add($"{name}={value}");
        return null;
    }

    private static (int ExitCode, string Error) Run(params string[] arguments)
    {
        var (code, _, error) = Command.TryRun("sh", ["-c", $"DOTNET_ROOT={Programs.DotnetRoot} exec \"$0\" \"$@\" < /dev/null", Programs.JitAgent, .. arguments]);
        return (code, error);
    }
}
