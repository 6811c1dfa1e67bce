using System.Net.Sockets;

namespace LoadHarness.Benchmarks;

/// <summary>HAProxy, which answers every request itself (http-request return); end it by disposing.</summary>
internal sealed class AnsweringProxy : IDisposable
{
    private const string Program = "/usr/sbin/haproxy";

    // Each counts two descriptors a connection, whether it has backends or not: two processes for 15,000 connections with 20,000 descriptors.
    private const int Processes = 2;
    private const int ConnectionsEach = 9_900;

    private readonly string _file = Path.GetTempFileName();
    private readonly RunningProgram[] _proxies;

    /// <summary>Starts it on the ports of the sink.</summary>
    public AnsweringProxy()
    {
        File.WriteAllText(_file, $"""
            global
              nbthread 1
              maxconn {ConnectionsEach}
            defaults
              mode http
              timeout client 10m
              timeout http-keep-alive 10m
              timeout http-request 1m
            frontend f
              bind 127.0.0.1:{LimitPrograms.FirstPort}-{LimitPrograms.FirstPort + LimitPrograms.Ports - 1}
              http-request return status 200 content-type text/plain string "Hello, World!"

            """);
        _proxies = [.. Enumerable.Range(0, Processes).Select(_ => RunningProgram.PinnedTarget("bash", ["-c", $"ulimit -Sn hard; exec {Program} -db -f {_file}"]))];
        WaitUntilItListens();
    }

    /// <summary>Whether it is there.</summary>
    public static bool IsInstalled => File.Exists(Program);

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(_proxies, p => p.Dispose());
        File.Delete(_file);
    }

    private static void WaitUntilItListens()
    {
        while (true)
        {
            try
            {
                using var client = new TcpClient("127.0.0.1", LimitPrograms.FirstPort);
                return;
            }
            catch (SocketException)
            {
                Thread.Sleep(100);
            }
        }
    }
}
