-- The latest jobs; of those that failed, the steps that did. A role sees its own jobs.
SELECT d.start_time, j.jobname, d.status, h.run, h.name AS view, h.status AS step, h.message
FROM cron.job_run_details AS d
JOIN cron.job AS j USING (jobid)
LEFT JOIN mv_orchestrator.history AS h
    ON h.run = substring(d.return_message FROM 'Run (\d+) in mv_orchestrator.history')::bigint
    AND h.status IN ('failed', 'upstream_failed', 'skipped')
ORDER BY d.runid DESC, h.step
LIMIT 20;

-- What was skipped, and for whom.
SELECT run, started, role, message
FROM mv_orchestrator.history
WHERE status = 'skipped' AND step = 1
ORDER BY run DESC
LIMIT 20;
