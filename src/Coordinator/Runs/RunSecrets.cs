using System.Text;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Runs;

/// <summary>
/// The client keys of runs that go on, each in a file of its own for the owner alone. They are in no row of the store and in no log, and gone
/// when their run has ended.
/// </summary>
/// <param name="directory">Made when it is wanted.</param>
internal sealed class RunSecrets(string directory)
{
    // Twice what a spec may have: what is not ASCII takes two bytes here.
    private const int LongestKey = 2 << 20;
    private const string Ending = ".pem";
    private const string What = "client key";

    /// <summary>Keeps the key of a run that begins, if it has one.</summary>
    /// <exception cref="CredentialException">It cannot be kept.</exception>
    public void Keep(string runId, RunSpec spec)
    {
        if (spec.Transport.Tls is not { Key: { IsEmpty: false } key })
            return;
        SafeFile.PrepareDirectory(directory);
        SafeFile.Replace(PathOf(runId), What, Encoding.Latin1.GetString(key.Span), SafeFile.OwnerOnly);
    }

    /// <summary>The spec of a run that goes on, with its key.</summary>
    /// <exception cref="CredentialException">It had one, and that cannot be read.</exception>
    public RunSpec AddTo(RunSpec spec, string runId) => spec.Transport.Tls is { Certificate.IsEmpty: false } tls
        ? spec with { Transport = spec.Transport with { Tls = tls with { Key = Encoding.Latin1.GetBytes(SafeFile.ReadSecret(PathOf(runId), What, LongestKey)) } } }
        : spec;

    /// <summary>Removes the key of a run, if there is one.</summary>
    public void Remove(string runId) => Delete(PathOf(runId));

    /// <summary>
    /// Removes all keys but those of some runs: a coordinator that was killed may have left one of a run that has ended, or that never began.
    /// </summary>
    public void KeepOnly(IReadOnlySet<string> runIds)
    {
        foreach (var path in Directory.Exists(directory) ? Directory.GetFiles(directory) : [])
        {
            if (!path.EndsWith(Ending, StringComparison.Ordinal) || !runIds.Contains(Path.GetFileNameWithoutExtension(path)))
                Delete(path);
        }
    }

    private static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Never made; or a folder that is gone altogether.
        }
    }

    private string PathOf(string runId) => Path.Combine(directory, $"{runId}{Ending}");
}
