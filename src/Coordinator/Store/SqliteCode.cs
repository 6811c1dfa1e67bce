namespace LoadHarness.Coordinator.Store;

/// <summary>Primary result codes of SQLite (sqlite.org/rescode.html) that we tell apart.</summary>
internal static class SqliteCode
{
    public const int Error = 1;
    public const int NoPermission = 3;
    public const int Busy = 5;
    public const int Locked = 6;
    public const int ReadOnly = 8;
    public const int InputOutput = 10;
    public const int Corrupt = 11;
    public const int Full = 13;
    public const int CannotOpen = 14;
    public const int NotADatabase = 26;

    /// <summary>Whether the same write may succeed later, with nothing changed but the machine.</summary>
    public static bool MayPass(int code) => code is Busy or Locked or ReadOnly or InputOutput or Full or CannotOpen;
}
