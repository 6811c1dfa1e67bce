using System.Globalization;
using System.Net.Sockets;
using System.Text;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.TestKit.Proxies;

/// <summary>A real HAProxy: one process or several on one port.</summary>
public sealed class HaProxy : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);

    private readonly string _directory = Directory.CreateTempSubdirectory("loadharness-haproxy-").FullName;
    private readonly List<ProgramProcess> _processes = [];

    private HaProxy(HaProxyOptions options) => Options = options;

    /// <summary>How it was set up.</summary>
    public HaProxyOptions Options { get; }

    /// <summary>Starts one with frontends of a test's own (<see cref="HaProxyOptions.Sections"/>).</summary>
    public static Task<HaProxy> StartAsync(NetworkNamespace space, string sections) =>
        StartAsync(new HaProxyOptions("") { Namespace = space, Sections = sections });

    /// <summary>Starts it and returns when every process answers on its statistics socket.</summary>
    public static async Task<HaProxy> StartAsync(HaProxyOptions options)
    {
        var proxy = new HaProxy(options);
        try
        {
            for (var i = 0; i < options.Processes; i++)
            {
                File.WriteAllText(proxy.ConfigurationPath(i), proxy.Configuration(i));
                string[] mode = options.HardStopAfter is null ? ["-db"] : ["-W", "-db"];
                // Into a file: HAProxy drops lines that a pipe has no room for.
                string[] program = ["-c", "log=$1; shift; exec haproxy \"$@\" > \"$log\"", "sh", proxy.LogPath(i)];
                var start = new ProgramStart("sh", [.. program, .. mode, "-f", proxy.ConfigurationPath(i)]) { Namespace = options.Namespace };
                proxy._processes.Add(ProgramProcess.Start(start));
            }

            for (var i = 0; i < options.Processes; i++)
                await proxy.WaitUntilUpAsync(i);
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    /// <summary>The connections that clients have through it now, over all processes: CurrConns of <c>show info</c>.</summary>
    public int CurrentConnections() => Sum("CurrConns");

    /// <summary>A number of <c>show info</c>, summed over all processes.</summary>
    public int Sum(string name) => Enumerable.Range(0, _processes.Count).Sum(i => int.Parse(Info(i)[name], CultureInfo.InvariantCulture));

    /// <summary>
    /// Waits until it has done with everybody who came, those in its accept queue included: from then on its counts and its log are whole.
    /// </summary>
    public async Task SettleAsync()
    {
        var sockets = new SocketStatistics(Options.Namespace);
        for (var end = DateTime.UtcNow + _patience; ; await Task.Delay(50))
        {
            var open = sockets.Lines("established", "").Length + sockets.Lines("close-wait", "").Length;
            if (open == 0 && CurrentConnections() == 0)
                return;
            if (DateTime.UtcNow > end)
                throw new TimeoutException($"HAProxy has {CurrentConnections()} connections, and there are {open} sockets");
        }
    }

    /// <summary>What the first process has logged so far, line by line.</summary>
    public IReadOnlyList<string> LogLines()
    {
        using var reader = new StreamReader(new FileStream(LogPath(0), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var text = reader.ReadToEnd();
        // The last line may not be whole yet.
        return text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Whole log lines of a frontend whose <c>log-format</c> begins with its name (<c>%f</c>), in words and without that name.</summary>
    public IReadOnlyList<string[]> LogOf(string frontend) =>
        [.. LogLines().Select(line => line.Split(' ')).Where(words => words[0].TrimEnd('~') == frontend).Select(words => words[1..])];

    /// <summary>The process id of the first process.</summary>
    public int Pid => _processes[0].Pid;

    /// <summary>Sends a signal to the first process.</summary>
    public void Send(Signal signal) => _processes[0].Send(signal);

    /// <summary>A number of <c>show stat</c> of the first process: <c>req_tot</c>, <c>hrsp_2xx</c>, <c>conn_tot</c>.</summary>
    /// <param name="frontend">Its name.</param>
    /// <param name="column">As HAProxy's management guide names it.</param>
    public long Stat(string frontend, string column)
    {
        var lines = Ask(0, "show stat").TrimStart('#', ' ').Split('\n').Select(l => l.Split(',')).ToList();
        var row = lines.First(l => l is [var name, "FRONTEND", ..] && name == frontend);
        return long.Parse(row[Array.IndexOf(lines[0], column)], CultureInfo.InvariantCulture);
    }

    /// <summary>What <c>show info</c> says of one process.</summary>
    public IReadOnlyDictionary<string, string> Info(int process)
    {
        for (var end = DateTime.UtcNow + _patience; ; Thread.Sleep(20))
        {
            try
            {
                var answer = Ask(process, "show info").Split('\n').Select(line => line.Split(": ", 2)).Where(pair => pair.Length == 2).ToList();
                if (answer.Count > 0)
                    return answer.ToDictionary(pair => pair[0], pair => pair[1]);
            }
            catch (Exception e) when (e is SocketException or IOException && !_processes[process].HasExited && DateTime.UtcNow < end)
            {
                // A worker that a reload has replaced leaves those without an answer that it had not looked at yet.
            }

            if (DateTime.UtcNow > end)
                throw new InvalidOperationException($"{_processes[process]} does not answer:\n{_processes[process].Log.Everything}");
        }
    }

    /// <summary>Has every master start a new worker; the old one keeps its connections until its time is over.</summary>
    public void Reload()
    {
        foreach (var process in _processes)
            process.Send(Signal.User2);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
            await process.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private string ConfigurationPath(int process) => Path.Combine(_directory, $"haproxy-{process}.cfg");

    private string LogPath(int process) => Path.Combine(_directory, $"haproxy-{process}.log");

    private string SocketPath(int process) => Path.Combine(_directory, $"stats-{process}.sock");

    private string Configuration(int process)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            global
                maxconn {Options.MaxConnections}
                nbthread {Options.Threads}
                stats socket {SocketPath(process)} mode 600 level admin
                {HardStop()}
                log stdout len 4096 format raw local0

            defaults
                mode tcp
                timeout connect 10s
                timeout client 1h
                timeout server 1h


            """);
        if (Options.Sections is { } sections)
            return text.Append(sections).Append('\n').ToString();
        text.Append(CultureInfo.InvariantCulture, $"""
            frontend clients
                bind {Options.Bind} backlog 65535
                maxconn {Options.MaxConnections}
                default_backend servers

            backend servers
                balance roundrobin

            """);
        for (var i = 0; i < Options.Servers.Count; i++)
            text.Append(CultureInfo.InvariantCulture, $"    server s{i} {Options.Servers[i]}\n");
        return text.ToString();
    }

    private string HardStop() => Options.HardStopAfter is { } time
        ? string.Create(CultureInfo.InvariantCulture, $"hard-stop-after {time.TotalMilliseconds:0}ms") : "";

    private async Task WaitUntilUpAsync(int process)
    {
        for (var end = DateTime.UtcNow + _patience; ; await Task.Delay(20))
        {
            try
            {
                Ask(process, "show info");
                return;
            }
            catch (SocketException) when (!_processes[process].HasExited && DateTime.UtcNow < end)
            {
                // Not yet.
            }
            catch (SocketException e)
            {
                throw new InvalidOperationException($"{_processes[process]} does not come up: {e.Message}\n{_processes[process].Log.Everything}", e);
            }
        }
    }

    private string Ask(int process, string command)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 60_000 };
        socket.Connect(new UnixDomainSocketEndPoint(SocketPath(process)));
        using var stream = new NetworkStream(socket);
        stream.Write(Encoding.ASCII.GetBytes($"{command}\n"));
        using var reader = new StreamReader(stream, Encoding.ASCII);
        return reader.ReadToEnd();
    }
}
