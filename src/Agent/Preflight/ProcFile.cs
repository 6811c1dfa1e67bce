using System.Collections.Immutable;
using System.Globalization;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Preflight;

/// <summary>Small files of /proc. What cannot be read is absent, never a guess.</summary>
internal static class ProcFile
{
    /// <summary>The text without surrounding blanks; null when the file is not there or may not be read.</summary>
    public static string? ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The number at a place of a line of numbers, as `123  456`.</summary>
    public static long? ReadNumber(string path, int index = 0)
    {
        var words = (ReadText(path) ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return index < words.Length ? ParseNumber(words[index]) : null;
    }

    /// <summary>Digits; what exceeds the type (file-max can be 2^63 and more) is its largest value.</summary>
    public static long? ParseNumber(string text)
    {
        if (text.Length == 0 || !text.All(char.IsAsciiDigit))
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : long.MaxValue;
    }

    /// <summary>A value of /proc/meminfo in bytes, from its line `MemFree:  123 kB`.</summary>
    public static long? ParseMeminfo(string text, string name)
    {
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith(name + ":", StringComparison.Ordinal))
                return ParseNumber(line[(name.Length + 1)..].Replace("kB", "", StringComparison.Ordinal).Trim()) is { } kilobytes
                    ? Math.Min(kilobytes, long.MaxValue / 1024) * 1024
                    : null;
        }

        return null;
    }

    /// <summary>Ports as ip_local_reserved_ports lists them: `8080,9000-9010`, or nothing.</summary>
    public static ImmutableArray<PortSpan> ParsePortList(string text)
    {
        var spans = ImmutableArray.CreateBuilder<PortSpan>();
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var ends = part.Split('-');
            if (ParseNumber(ends[0]) is { } first && ParseNumber(ends[^1]) is { } last && last is >= 1 and <= 65535 && first <= last)
                spans.Add(new((int)Math.Max(first, 1), (int)last));
        }

        return spans.DrainToImmutable();
    }

    /// <summary>Two numbers, as ip_local_port_range gives them.</summary>
    public static PortSpan? ReadPortRange(string path) =>
        ReadNumber(path, 0) is >= 1 and <= 65535 and { } first && ReadNumber(path, 1) is <= 65535 and { } last && first <= last
            ? new((int)first, (int)last)
            : null;
}
