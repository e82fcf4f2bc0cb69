//! The store, on both of its engines: one suite, run twice. PostgreSQL runs when `BERTH_TEST_PG_URL` names a server on which
//! databases may be made; each test has one of its own.

#[path = "store/audit.rs"]
mod audit;
#[path = "store/blocks.rs"]
mod blocks;
#[path = "store/bookings.rs"]
mod bookings;
#[path = "store/cache.rs"]
mod cache;
#[path = "store/carry_over.rs"]
mod carry_over;
#[path = "store/changes.rs"]
mod changes;
#[path = "store/closing.rs"]
mod closing;
#[path = "store/connections.rs"]
mod connections;
#[path = "store/consents.rs"]
mod consents;
#[path = "store/contention.rs"]
mod contention;
#[path = "store/customers.rs"]
mod customers;
#[path = "store/events.rs"]
mod events;
#[path = "store/external_lists.rs"]
mod external_lists;
#[path = "store/holds.rs"]
mod holds;
#[path = "store/imports.rs"]
mod imports;
#[path = "store/jobs.rs"]
mod jobs;
#[path = "store/keys.rs"]
mod keys;
#[path = "store/known_years.rs"]
mod known_years;
#[path = "store/limits.rs"]
mod limits;
#[path = "store/lists.rs"]
mod lists;
#[path = "store/logs.rs"]
mod logs;
#[path = "store/oauth.rs"]
mod oauth;
#[path = "store/personal.rs"]
mod personal;
#[path = "store/plugins.rs"]
mod plugins;
#[path = "store/private_links.rs"]
mod private_links;
#[path = "store/replicas.rs"]
mod replicas;
#[path = "store/resources.rs"]
mod resources;
#[path = "store/same.rs"]
mod same;
#[path = "store/schema.rs"]
mod schema;
#[path = "store/seats.rs"]
mod seats;
#[path = "store/trouble.rs"]
mod trouble;
#[path = "store/world.rs"]
mod world;

/// Each test twice.
macro_rules! on_both {
    ($($file:ident::$name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::world::on_sqlite(async |world| super::$file::$name(world).await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::world::on_postgres(async |world| super::$file::$name(world).await).await;
            })*
        }
    };
}

on_both! {
    audit::few_that_match_are_found_among_many,
    blocks::what_takes_time_is_to_be_closed,
    bookings::a_booking_comes_back_as_it_was_made,
    bookings::a_place_is_taken_once,
    bookings::lists_are_narrowed_and_paged,
    bookings::what_members_were_given_is_counted,
    bookings::taken_places_are_what_is_occupied,
    carry_over::places_are_carried_over,
    carry_over::members_of_a_booking_are_carried_over,
    carry_over::rows_of_tables_made_anew_are_carried_over,
    changes::cancel_keeps_the_place_until_the_provider_knows,
    changes::create_is_confirmed_or_refused,
    changes::finished_bookings_keep_their_place,
    changes::news_of_the_provider_wins_over_all_but_an_undelivered_move,
    changes::reschedule_holds_both_places_until_it_is_settled,
    changes::reschedule_of_overlapping_times_holds_their_hull,
    changes::stale_changes_change_nothing,
    changes::the_counterpart_is_noted_without_a_change,
    closing::a_pause_ends_with_everything_read_anew,
    closing::nothing_of_a_deleted_tenant_is_left,
    closing::waiting_for_a_paused_connection_is_no_try,
    closing::what_nobody_can_be_told_is_so,
    closing::what_opens_an_account_is_erased,
    connections::connections_are_kept,
    connections::credentials_are_sealed,
    connections::keys_are_rotated,
    connections::a_webhook_secret_is_rotated,
    connections::state_is_bounded,
    contention::a_refused_write_does_not_hurt_its_neighbours,
    contention::a_slot_is_given_once,
    contention::a_write_that_fails_half_way_leaves_nothing,
    contention::moves_do_not_cross,
    consents::consents_are_within_their_tenant,
    consents::words_at_once_have_a_last_one,
    customers::a_database_of_before_goes_on,
    customers::a_series_is_for_one_customer,
    customers::a_shared_address_leaves_a_question,
    customers::an_address_of_many_finds_each,
    customers::bookings_at_once_find_one_customer,
    customers::bookings_of_before_are_given_theirs,
    customers::bookings_of_others_are_for_customers_too,
    customers::one_person_is_one_customer,
    customers::what_finds_customers_survives_another_vault_key,
    same::a_search_of_many_is_bounded,
    same::customers_are_looked_for_by_parts,
    same::merges_crosswise_end_well,
    same::nothing_is_lost_and_nothing_is_there_twice,
    same::one_becomes_part_of_another,
    same::what_is_changed_by_hand_finds_them,
    same::what_was_merged_is_taken_apart,
    events::a_conflict_is_told_of_from_its_beginning_to_its_end,
    events::a_connection_is_told_of_when_its_state_changes,
    events::a_reader_that_cannot_go_on_is_told_so,
    events::another_epoch_is_another_feed,
    events::each_change_of_a_booking_is_told,
    events::nothing_is_missed_under_a_storm,
    events::old_events_are_forgotten_in_their_order,
    events::the_order_of_a_booking_does_not_turn,
    holds::a_booking_takes_its_own_hold_over_once,
    holds::a_hold_is_extended_released_and_swept,
    holds::a_hold_keeps_a_place_until_it_is_over,
    holds::what_a_hold_kept_is_given_once,
    imports::an_import_is_decided_over_what_is_there,
    jobs::a_claim_follows_the_order_of_its_queue,
    jobs::a_queue_is_taken_from_alone,
    jobs::a_tenant_has_a_quarter_of_a_queue,
    jobs::a_bringer_of_a_lease_takes_an_idle_job_over,
    jobs::a_job_is_held_by_one_at_a_time,
    jobs::a_wake_up_while_it_is_held_is_not_lost,
    jobs::dead_jobs_live_again,
    jobs::many_workers_share_the_jobs,
    jobs::jobs_end_at_once_among_writes_that_are_refused,
    jobs::one_open_job_per_key,
    jobs::what_a_connection_stopped_is_woken,
    keys::rows_keep_while_keys_change,
    known_years::time_off_without_end_ends_with_the_known_years,
    external_lists::bookings_of_providers_are_found_and_narrowed,
    external_lists::bookings_of_providers_of_before_are_listed,
    external_lists::words_of_providers_bookings_are_made_up_for,
    lists::bookings_are_counted_by_day,
    lists::bookings_are_found_by_what_is_typed,
    lists::bookings_of_before_are_found,
    lists::lists_are_narrowed_by_everything,
    lists::lists_are_read_by_their_indexes,
    lists::pages_are_whole_in_every_order,
    lists::words_are_made_up_for,
    limits::a_limit_counts_what_it_should,
    limits::a_limit_is_not_exceeded_by_racing_bookings,
    limits::the_limits_of_a_large_team_count_the_same,
    limits::several_bookings_are_made_together_or_not_at_all,
    limits::what_ended_is_found_for_the_sweep,
    limits::what_nobody_answered_is_found_for_the_sweep,
    logs::a_key_knows_what_was_made_under_it,
    logs::a_feed_has_one_token,
    logs::calls_are_listed,
    logs::idempotency_keys_answer_once,
    logs::old_rows_are_pruned,
    logs::webhooks_are_stored_once,
    oauth::a_flow_is_taken_once,
    oauth::client_secrets_survive_another_vault_key,
    oauth::clients_are_kept_and_their_secrets_sealed,
    oauth::one_replica_renews_at_a_time,
    personal::every_column_has_a_line,
    plugins::grants_narrow,
    plugins::one_version_is_active,
    cache::a_connection_that_goes_takes_nobody_s_time_with_it,
    cache::places_have_a_limit,
    cache::what_did_not_change_is_not_read_again,
    cache::what_is_remembered_is_what_is_there,
    private_links::a_link_ends_with_its_time_and_leads_to_one_event_type,
    private_links::a_link_for_one_booking_is_used_once,
    private_links::links_are_kept_within_their_tenant,
    private_links::one_event_type_has_so_many_links,
    replicas::those_that_were_seen_lately_are_there,
    resources::event_types_keep_their_members_in_order,
    resources::keys_are_found_by_hash,
    resources::listings_are_edited_in_turn,
    resources::members_are_edited_in_turn,
    resources::tenants_are_kept,
    resources::the_last_owner_stays,
    resources::tenants_are_walls,
    resources::what_is_in_use_stays,
    schema::every_change_writes_an_audit_row,
    schema::no_statement_reads_a_large_table_whole,
    schema::keys_begin_with_the_tenant,
    schema::every_statement_is_understood,
    schema::migrations_run_once,
    schema::schemas_are_the_same,
    schema::the_database_itself_refuses_overlaps,
    seats::a_cancelled_seat_is_free_again,
    seats::as_many_as_there_are_seats,
    seats::seats_move_one_by_one,
    seats::sessions_keep_others_out,
    seats::several_members_are_taken_together,
    seats::members_change_with_a_move_and_come_back,
}
