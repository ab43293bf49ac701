"""Validates a layer: one checkpoint, one validation definition per suite."""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.context import open_context
from expectations.contract import Contract, check_views
from expectations.engine import LakeViews, Source

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuite

def proto(layer, *, home, run_id, connection, contract):
    t0=time.perf_counter()
    context = open_context(home)
    t1=time.perf_counter(); print('ctx',t1-t0)
    import great_expectations as gx
    from expectations import dialect
    dialect.register()
    suites=[importlib.import_module(f'expectations.suites.raw_{f}').build(contract) for f in contract]
    args=connection.connect_args(); args['statements']+=check_views(contract)
    t2=time.perf_counter(); print('suites',t2-t1)
    ds=context.data_sources.add_or_update_sql(name=layer, connection_string=f"{dialect.URL_SCHEME}:///{connection.database}", create_temp_table=False, kwargs={"connect_args":args})
    t3=time.perf_counter(); print('ds',t3-t2)
    vds=[]
    for s in suites:
        a=ds.add_table_asset(name=s.name, table_name=s.meta['dataset'].split('.')[1], schema_name=s.meta['dataset'].split('.')[0])
    t4=time.perf_counter(); print('assets',t4-t3)
    for s in suites:
        a=ds.get_asset(s.name)
        b=a.add_batch_definition_whole_table(s.name)
        s=context.suites.add_or_update(s)
        vds.append(context.validation_definitions.add_or_update(gx.ValidationDefinition(name=s.name,data=b,suite=s)))
    t5=time.perf_counter(); print('defs',t5-t4)
    cp=context.checkpoints.add_or_update(gx.Checkpoint(name=layer,validation_definitions=vds,result_format='SUMMARY'))
    t6=time.perf_counter(); print('cp',t6-t5)
    res=cp.run(run_id=gx.core.RunIdentifier(run_name=run_id) if hasattr(gx.core,'RunIdentifier') else None)
    t7=time.perf_counter(); print('run',t7-t6)
    return res
