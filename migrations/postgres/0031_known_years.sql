-- Time lies in the years 1970 to 2199. Stretches of time off that were made to last "for ever" last to the end of them; what began before
-- begins with them. Columns of instants are cut when they are read.
UPDATE rules SET rule = jsonb_set(rule, '{end}', '"2199-12-31T23:59:59.999999Z"')
  WHERE kind = 'out_of_office' AND (rule ->> 'end') COLLATE "C" >= '2200';
UPDATE rules SET rule = jsonb_set(rule, '{start}', '"2199-12-31T23:59:59.999999Z"')
  WHERE kind = 'out_of_office' AND (rule ->> 'start') COLLATE "C" >= '2200';
UPDATE rules SET rule = jsonb_set(rule, '{start}', '"1970-01-01T00:00:00Z"')
  WHERE kind = 'out_of_office' AND (rule ->> 'start') COLLATE "C" < '1970';
UPDATE rules SET rule = jsonb_set(rule, '{end}', '"1970-01-01T00:00:00Z"')
  WHERE kind = 'out_of_office' AND (rule ->> 'end') COLLATE "C" < '1970';
