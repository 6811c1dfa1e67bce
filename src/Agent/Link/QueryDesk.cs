namespace LoadHarness.Agent.Link;

/// <summary>
/// Answers what a coordinator asks about this host, one question after the other on a thread of its own, so that names that take their time
/// hold up nothing else. Of the questions of one kind that wait only the newest is answered: the coordinator waits for no other.
/// </summary>
internal sealed class QueryDesk
{
    private readonly Lock _gate = new();
    private readonly Action?[] _waiting = new Action?[2];
    private bool _working;

    /// <summary>What a question is about.</summary>
    public enum Kind
    {
        /// <summary>Names and routes.</summary>
        Routes,

        /// <summary>How the host stands.</summary>
        Checks,
    }

    /// <summary>Answers a question soon.</summary>
    /// <param name="kind">A question of this kind that waits still is dropped.</param>
    /// <param name="answer">Finds it and sends it; may block. When it fails there is no answer, and the coordinator hears nothing.</param>
    public void Ask(Kind kind, Action answer)
    {
        lock (_gate)
        {
            _waiting[(int)kind] = answer;
            if (_working)
                return;
            _working = true;
        }

        new Thread(Work) { IsBackground = true, Name = "queries" }.Start();
    }

    private void Work()
    {
        while (Next() is { } answer)
        {
            try
            {
                answer();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // A question that makes no sense gets no answer; an exception on this thread would be the agent's end.
            }
        }
    }

    private Action? Next()
    {
        lock (_gate)
        {
            for (var kind = 0; kind < _waiting.Length; kind++)
            {
                if (_waiting[kind] is { } answer)
                {
                    _waiting[kind] = null;
                    return answer;
                }
            }

            _working = false;
            return null;
        }
    }
}
