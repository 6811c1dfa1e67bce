using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop;

/// <summary>
/// What a system call answered: a value, or an errno. Nothing above Interop reads errno itself.
/// </summary>
public readonly struct SysResult
{
    private readonly long _value;

    private SysResult(long value) => _value = value;

    /// <summary>Folds the C library's convention (-1 and errno) into one value.</summary>
    /// <param name="returned">What the call returned.</param>
    internal static SysResult Of(long returned) => new(returned >= 0 ? returned : -(long)Marshal.GetLastSystemError());

    /// <summary>A failure.</summary>
    internal static SysResult Failed(int errno) => new(-(long)errno);

    /// <summary>Whether the call succeeded.</summary>
    public bool Ok => _value >= 0;

    /// <summary>The value; meaningless when the call failed.</summary>
    public long Value => _value;

    /// <summary>The errno; 0 when the call succeeded.</summary>
    public int Errno => _value >= 0 ? 0 : (int)-_value;
}
