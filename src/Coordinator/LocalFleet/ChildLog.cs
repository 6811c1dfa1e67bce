using System.Text;

namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>What a child wrote, on disk up to a limit. Reading goes on beyond it: a full pipe would stop the child.</summary>
internal sealed class ChildLog : IDisposable
{
    private const long MostBytes = 16 << 20;
    private const int TailBytes = 4096;

    private readonly Lock _gate = new();
    private readonly FileStream _file;

    public ChildLog(string path)
    {
        _file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            BufferSize = 0,
        });
    }

    /// <summary>Copies a stream until it ends.</summary>
    public async Task PumpAsync(Stream from)
    {
        var buffer = new byte[4096];
        while (await ReadAsync(from, buffer) is > 0 and var count)
        {
            lock (_gate)
            {
                if (_file.CanWrite && _file.Length < MostBytes)
                    _file.Write(buffer, 0, count);
            }
        }
    }

    /// <summary>The last lines, oldest first; of the 4 KB before the end.</summary>
    public IReadOnlyList<string> Tail(int lines)
    {
        byte[] bytes;
        lock (_gate)
        {
            if (!_file.CanRead)
                return [];
            bytes = new byte[(int)Math.Min(_file.Length, TailBytes)];
            var end = _file.Position;
            _file.Position = _file.Length - bytes.Length;
            _file.ReadExactly(bytes);
            _file.Position = end;
        }

        var all = Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return all[^Math.Min(lines, all.Length)..];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
            _file.Dispose();
    }

    private static async ValueTask<int> ReadAsync(Stream from, byte[] buffer)
    {
        try
        {
            return await from.ReadAsync(buffer);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return 0;
        }
    }
}
