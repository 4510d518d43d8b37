// What the contract of the connectors asks for: a number of the server's own as the key, text, exact numbers, a version.
service things {
  entity Thing {
    key id        : Integer;
        sku       : String(80);
        name      : LargeString;
        price     : Decimal(15, 2);
        stock     : Integer;
        weight    : Decimal(13, 3);
        big       : Int64;
        due       : Date;
        at        : Time;
        moment    : Timestamp;
        token     : UUID;
        ratio     : Double;
        flag      : Boolean;
        changedAt : Timestamp @odata.etag;
  }
}
