"""One shop's GraphQL address: login, points and version looked after, errors under 200 classed by the vendor's codes.

Protocol: ``POST /admin/api/VERSION/graphql.json``. A shop that is frozen (402), locked (423) or not there in this version
(404) is the platform's trouble and no record's.
"""

from collections.abc import Mapping

from loguru import logger

from syncd.connectors.body import pick
from syncd.connectors.graphql_call import FAULTS, Answered, Fault, Graphql
from syncd.connectors.http import Http
from syncd.connectors.protocol import Setup
from syncd.connectors.shopify.cost import Bucket
from syncd.connectors.shopify.tokens import identity_of
from syncd.core.model import Native
from syncd.errors import ConnectorError, OutcomeUnknown, PermanentError, TransientError

VERSION = "X-Shopify-API-Version"
TOO_DEAR = "MAX_COST_EXCEEDED"
MUTATION = 10.0  # points
OF_THE_SHOP = {
    402: "the shop is frozen: its bill is not paid",
    404: "there is no such shop, or not in this version of the API",
    423: "the shop is locked",
}
CODES = dict(FAULTS) | {"SHOP_INACTIVE": Fault.LOGIN, "TIMEOUT": Fault.TROUBLE}


class TooDear(PermanentError):  # noqa: N818 - the word of its code
    """A query asks for more than one query may cost: smaller pages may do."""


class Api:
    """The shop, asked and told. One bucket of points for all calls."""

    def __init__(self, setup: Setup) -> None:
        connection = setup.connection
        self.version: str = connection.api_version
        self.served = ""
        self.bucket = Bucket()
        self.http = Http(setup, base_url=connection.origin, login=identity_of(setup))
        self._platform = setup.platform
        self._url = self.http.url(f"/admin/api/{self.version}/graphql.json")

    async def read(self, document: str, variables: Mapping[str, Native] | None = None, *, cost: float = 1) -> Answered:
        """Return the whole answer to a query. Raises TooDear, and what its status or its errors mean."""
        try:
            async with self.bucket.spent(document, cost):
                answered = await self._graphql(document, cost).read(document, variables)
        except ConnectorError as error:
            raise self._meant(error) from error
        self._note(answered)
        return answered

    async def send(self, document: str, variables: Mapping[str, Native]) -> Answered:
        """Send a mutation, once, and return its answer; its ``userErrors`` are for the caller.

        Raises OutcomeUnknown if something may have been done and nobody can tell what, else what its errors mean.
        """
        graphql = self._graphql(document, MUTATION)
        try:
            async with self.bucket.spent(document, MUTATION):
                answered = await graphql.send(document, variables)
                wait = self.bucket.heed(document, answered, MUTATION)
            if not answered.problems:
                self._note(answered)
                return answered
        except ConnectorError as error:
            if isinstance(error, TransientError) and error.about_record:  # a gateway's 502 is not the shop's word
                raise OutcomeUnknown(f"{error}; what was done of it only reading can tell", status=error.status) from error
            raise self._meant(error) from error
        problem = graphql.meaning(answered, wait=wait)
        failed = isinstance(problem, TransientError) and problem.about_record
        if answered.began or failed:
            raise OutcomeUnknown(f"{problem}; what was done of it only reading can tell", status=answered.reply.status)
        raise self._meant(problem)

    def _graphql(self, document: str, cost: float) -> Graphql:
        return Graphql(self.http, self._url, faults=CODES, heed=lambda answered: self.bucket.heed(document, answered, cost))

    def _meant(self, error: ConnectorError) -> ConnectorError:
        words = OF_THE_SHOP.get(error.status or 0)
        if isinstance(error, PermanentError) and words:
            return TransientError(f"login: {error}: {words}", status=error.status)
        if isinstance(error, PermanentError) and TOO_DEAR in str(error):
            return TooDear(str(error), status=error.status)
        return error

    def _note(self, answered: Answered) -> None:
        """Notice that the shop serves another version than is asked for: it goes on to the next one when ours is retired."""
        served = answered.reply.headers.get(VERSION, "")
        if served and served not in {self.version, self.served}:
            self.served = served
            text = f"{self._platform}: api_version {self.version} is asked for, the shop serves {served}: set it in connection"
            logger.bind(platform=self._platform).warning(text)


def ignored_terms(answered: Answered) -> str:
    """Return the search terms that the shop did not know and left out, as it says; '' if it used them all."""
    told = pick(answered.extensions, "search")
    found = [pick(one, "warnings") or [] for one in told] if isinstance(told, list) else []
    return ", ".join(str(pick(warning, "field")) for warnings in found if isinstance(warnings, list) for warning in warnings)
