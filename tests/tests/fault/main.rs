//! The fault suite: each fault made to happen to the real system, one file each, named as the promise that holds.
//!
//! The number at the head of a file is the fault's. Those marked `ignore` take long or need a server or a disk of their own:
//! `make faults` runs them too, and prints a table.

// Not only the tests themselves but what they share may fail the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod a_bus_that_lost_everything_is_filled_again;
mod a_changed_byte_is_named;
mod a_command_sent_a_hundred_times_acts_once;
mod a_cut_tail_is_shown_from_outside;
mod a_deleted_row_is_named;
mod a_full_disk_loses_nothing;
mod a_killed_command_service_forgets_nothing;
mod a_killed_relay_leaves_no_hole;
mod a_late_commit_is_never_passed_over;
mod a_lost_commit_answer_is_found_again;
mod a_rebuild_shows_old_or_new;
mod a_restarted_database_needs_no_hand;
mod a_restored_backup_does_not_run_on;
mod a_slow_consumer_holds_up_nobody;
mod an_analyst_sees_reports_only;
mod an_id_is_never_used_for_something_else;
mod clocks_that_disagree_change_no_order;
mod commands_wait_for_a_nats_that_is_away;
mod each_service_may_do_its_own_work_only;
mod events_in_any_order_give_the_same_view;
mod poison_is_put_aside_and_the_rest_flows;
mod the_witness_sees_each_breach;
mod two_of_everything_outlive_any_one;
mod two_services_never_decide_against_each_other;
mod what_cannot_be_read_is_refused_and_kept;
mod what_is_not_known_is_never_skipped;
mod what_is_too_large_is_refused_at_the_edge;
mod who_was_erased_is_nowhere;
