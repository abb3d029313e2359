#!lua flags=allow-oom
epoch()
if redis.call('HSETNX', meta, 'finished', 1) == 1 then announce() end
return 1
