-- Accounting's debtors, and a login that may read them and change one column. Who changed what is kept by the database itself.
CREATE TABLE debtor (
    debtor_no text PRIMARY KEY, first_name text, last_name text NOT NULL, email text, phone text, postcode text,
    birth_date date, credit_limit numeric(12, 2), last_invoice_at timestamptz,
    row_version bigint NOT NULL DEFAULT 1, updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE change_log (at timestamptz NOT NULL DEFAULT clock_timestamp(), who text NOT NULL, debtor_no text NOT NULL, columns text[]);

CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    NEW.row_version := OLD.row_version + 1;
    NEW.updated_at := clock_timestamp();
    INSERT INTO change_log (who, debtor_no, columns)
    SELECT session_user, OLD.debtor_no, array_agg(after.key)
    FROM jsonb_each(to_jsonb(NEW)) after JOIN jsonb_each(to_jsonb(OLD)) before USING (key)
    WHERE after.value IS DISTINCT FROM before.value AND key NOT IN ('row_version', 'updated_at');
    RETURN NEW;
END $$;
CREATE TRIGGER touched BEFORE UPDATE ON debtor FOR EACH ROW EXECUTE FUNCTION touched();

CREATE ROLE syncd LOGIN;
GRANT SELECT ON debtor TO syncd;
GRANT UPDATE (phone) ON debtor TO syncd;
