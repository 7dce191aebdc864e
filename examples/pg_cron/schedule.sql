-- The jobs. Run as the role that shall refresh the views: their owner, or a member of their owners.
-- A job's command is one CALL and nothing else: mv_run() commits each view when it is done, so it
-- cannot share its string with another statement. A name that is scheduled again changes that job.

-- All enabled views, each minute. When an earlier run is still at work on one of them, this one is
-- skipped, and succeeds.
SELECT cron.schedule('refresh all', '* * * * *', 'CALL mv_run()');

-- Some views, each hour. It overlaps with the run above, and its views are not to wait for the next
-- hour: so it waits until that is done, at most for mv_orchestrator.lock_timeout.
SELECT cron.schedule('refresh the best', '5 * * * *',
    $$CALL mv_run(ARRAY['shop.daily', 'shop."Best customers"'], on_overlap => 'wait')$$);

-- Everything built anew, each night; after a view that fails nothing more is tried.
SELECT cron.schedule('rebuild all', '30 3 * * *',
    $$CALL mv_run(mode => 'swap', on_error => 'stop', on_overlap => 'wait')$$);

-- pg_cron keeps a row for each run of a job for ever.
SELECT cron.schedule('forget old jobs', '0 4 * * *',
    $$DELETE FROM cron.job_run_details WHERE start_time < now() - interval '30 days'$$);
