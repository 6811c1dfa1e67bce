using System.Runtime.InteropServices;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;

namespace LoadHarness.Agent.Backend;

/// <summary>What one peer has not taken yet. Takes memory only while there is something.</summary>
internal unsafe struct Unsent
{
    private byte* _bytes;
    private int _offset;
    private int _length;

    /// <summary>Whether the peer has taken everything.</summary>
    public readonly bool IsEmpty => _bytes is null;

    /// <summary>Sends, and keeps a copy of what is not taken; nothing may be kept already.</summary>
    /// <returns>Whether all was taken.</returns>
    public bool Send(int fd, byte* bytes, int length, ref ReactorCounters counters)
    {
        var sent = Sockets.Send(fd, bytes, length);
        var taken = sent.Ok ? (int)sent.Value : 0;
        counters.BytesSent += taken;
        if (taken == length)
            return true;
        (_offset, _length) = (0, length - taken);
        _bytes = (byte*)NativeMemory.Alloc((nuint)_length);
        NativeMemory.Copy(bytes + taken, _bytes, (nuint)_length);
        return false;
    }

    /// <summary>Sends what is kept.</summary>
    /// <returns>Whether nothing is left.</returns>
    public bool Flush(int fd, ref ReactorCounters counters)
    {
        if (IsEmpty)
            return true;
        var sent = Sockets.Send(fd, _bytes + _offset, _length - _offset);
        if (!sent.Ok)
            return false;
        counters.BytesSent += sent.Value;
        _offset += (int)sent.Value;
        if (_offset < _length)
            return false;
        Forget();
        return true;
    }

    /// <summary>Forgets what is kept.</summary>
    public void Forget()
    {
        NativeMemory.Free(_bytes);
        _bytes = null;
    }
}
