-- What a notice of an appointment speaks of.
ALTER TABLE notifier.deliveries
    ADD COLUMN calendar text,
    ADD COLUMN slot_day date,
    ADD COLUMN slot_time text,
    ADD COLUMN slot_minutes integer,
    ADD COLUMN attendance text,
    ADD CONSTRAINT a_slot_of_a_calendar CHECK ((calendar IS NULL) = (slot_day IS NULL) AND (calendar IS NULL) = (slot_time IS NULL)
        AND (calendar IS NULL) = (slot_minutes IS NULL));

COMMENT ON COLUMN notifier.deliveries.calendar IS 'The calendar of the appointment that the event is about, where it is about one.';
COMMENT ON COLUMN notifier.deliveries.attendance IS 'What became of that appointment, where the event says so.';
