"""How every store's database is set up. All stores of a process share one cache and one memtable budget."""

from __future__ import annotations

from dataclasses import dataclass

from rocksdict import BlockBasedOptions, Cache, DBCompressionType, Options, WriteBufferManager

MIB = 1 << 20
BLOOM_BITS_PER_KEY = 10
INFO_LOGS_KEPT = 2
INFO_LOG_BYTES_MAX = MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreBudget:
    """Memory of all stores together. A library's defaults per database would be gigabytes with 64 partitions."""

    cache_bytes: int = 64 * MIB
    memtables_bytes: int = 64 * MIB
    memtable_bytes: int = 4 * MIB
    """A store's own memtable: small, so that an idle partition holds little and a flush is short."""
    open_files: int = 128
    """Per store. RocksDB opens and closes files beyond it as needed."""


class StoreOptions:
    """The options of one `Stores`; its cache and write-buffer manager are what its databases share."""

    def __init__(self, budget: StoreBudget) -> None:
        self._budget = budget
        self._cache = Cache(budget.cache_bytes)
        # Never stalls: a write holds the GIL, and a stall would stop every thread of the process.
        self._memtables = WriteBufferManager(budget.memtables_bytes, False)

    def fresh(self) -> Options:
        """Options for one database (an instance must not be shared: opening changes it)."""
        # Raw mode always: the other one pickles values, and runs what a stolen folder contains.
        options = Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_write_buffer_size(self._budget.memtable_bytes)
        options.set_write_buffer_manager(self._memtables)
        options.set_max_open_files(self._budget.open_files)
        options.set_level_compaction_dynamic_level_bytes(True)
        options.set_compression_type(DBCompressionType.lz4())
        options.set_keep_log_file_num(INFO_LOGS_KEPT)
        options.set_max_log_file_size(INFO_LOG_BYTES_MAX)
        options.set_stats_dump_period_sec(0)
        options.set_block_based_table_factory(self._table())
        return options

    def _table(self) -> BlockBasedOptions:
        table = BlockBasedOptions()
        table.set_block_cache(self._cache)
        table.set_bloom_filter(BLOOM_BITS_PER_KEY, False)
        # Index and filters count against the shared budget too, but those of the newest files stay.
        table.set_cache_index_and_filter_blocks(True)
        table.set_pin_l0_filter_and_index_blocks_in_cache(True)
        return table
